/// What the controller has heard from whom, and how long ago. Silence is unknown, never down.
@NullMarked
package dev.understudy.core.evidence;

import org.jspecify.annotations.NullMarked;
