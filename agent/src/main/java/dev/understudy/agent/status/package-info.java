/// The agent's own HTTP port: metrics, health, and whether this host is the writer.
@NullMarked
package dev.understudy.agent.status;

import org.jspecify.annotations.NullMarked;
