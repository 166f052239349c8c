/// The tables: phase × situation → next phase, action, because. Total and without shadowed rows.
@NullMarked
package dev.understudy.core.policy;

import org.jspecify.annotations.NullMarked;
