@NullMarked
package dev.understudy.protocol;

import org.jspecify.annotations.NullMarked;
