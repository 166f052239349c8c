/// The command line `understudy`: asks a controller over its API. Exit codes: 0 well, 1 not well or refused, 2 bad
/// usage or input, 3 no controller.
@NullMarked
package dev.understudy.controller.cli;

import org.jspecify.annotations.NullMarked;
