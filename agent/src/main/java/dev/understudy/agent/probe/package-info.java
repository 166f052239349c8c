/// What the agent sees on its own host. Nothing here acts.
@NullMarked
package dev.understudy.agent.probe;

import org.jspecify.annotations.NullMarked;
