/// A controller and a host in memory, for tests of the agent's shell.
@NullMarked
package dev.understudy.agent.fake;

import org.jspecify.annotations.NullMarked;
