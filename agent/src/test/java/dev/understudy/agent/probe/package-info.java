@NullMarked
package dev.understudy.agent.probe;

import org.jspecify.annotations.NullMarked;
