package dev.understudy.core;

import java.util.List;

/// The one function that decides.
public final class Core {
    private Core() {}

    public static Decision step(State state, Input input, Now now) {
        return new Decision(state, List.of(), List.of(), List.of());
    }
}
