/// The connections to the controllers: hello, heartbeats, observations, replies.
@NullMarked
package dev.understudy.agent.link;

import org.jspecify.annotations.NullMarked;
