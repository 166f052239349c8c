@NullMarked
package dev.understudy.agent.metrics;

import org.jspecify.annotations.NullMarked;
