/// The agents among each other: consent, and what other hosts look like from here.
@NullMarked
package dev.understudy.agent.peer;

import org.jspecify.annotations.NullMarked;
