@NullMarked
package dev.understudy.wire.json;

import org.jspecify.annotations.NullMarked;
