/// How fast the hosts' clocks run: the assumption that lease arithmetic rests on, watched.
@NullMarked
package dev.understudy.core.clock;

import org.jspecify.annotations.NullMarked;
