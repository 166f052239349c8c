@NullMarked
package dev.understudy.wire.metrics;

import org.jspecify.annotations.NullMarked;
