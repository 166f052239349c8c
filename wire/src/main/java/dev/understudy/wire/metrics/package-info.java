/// The one metrics registry of a process.
@NullMarked
package dev.understudy.wire.metrics;

import org.jspecify.annotations.NullMarked;
