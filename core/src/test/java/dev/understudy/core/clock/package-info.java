@NullMarked
package dev.understudy.core.clock;

import org.jspecify.annotations.NullMarked;
