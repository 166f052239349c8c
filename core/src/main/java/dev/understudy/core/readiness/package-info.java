/// Whether a failover would work now, asked all the time and not only when one is due.
@NullMarked
package dev.understudy.core.readiness;

import org.jspecify.annotations.NullMarked;
