/// Tests of the whole.
@NullMarked
package dev.understudy.lab;

import org.jspecify.annotations.NullMarked;
