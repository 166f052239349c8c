package dev.understudy.controller.loop;

import dev.understudy.core.Now;
import dev.understudy.core.State;
import java.util.Set;

/// What the loop last decided, for pages, the API and metrics. Immutable; read by any thread.
///
/// @param at when it was decided
/// @param connected the hosts whose agents are connected now
public record View(State state, Now at, Set<String> connected) {
    public View {
        connected = Set.copyOf(connected);
    }
}
