@NullMarked
package dev.understudy.agent.lease;

import org.jspecify.annotations.NullMarked;
