/// Carrying out orders: one at a time a resource, each at most once, only under the lease that it needs.
@NullMarked
package dev.understudy.agent.command;

import org.jspecify.annotations.NullMarked;
