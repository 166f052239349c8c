@NullMarked
package dev.understudy.agent.peer;

import org.jspecify.annotations.NullMarked;
