/// The daemon on each host: `probe` looks and never acts, `act` acts and never decides, `lease` keeps what this host
/// may hold, `link` speaks with the controllers.
@NullMarked
package dev.understudy.agent;

import org.jspecify.annotations.NullMarked;
