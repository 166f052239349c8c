/// Tests of positions and candidates.
@NullMarked
package dev.understudy.core.candidate;

import org.jspecify.annotations.NullMarked;
