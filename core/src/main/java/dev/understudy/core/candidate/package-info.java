/// Who could be promoted, and the reason why each other member could not.
@NullMarked
package dev.understudy.core.candidate;

import org.jspecify.annotations.NullMarked;
