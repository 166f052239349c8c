package dev.understudy.protocol;

import java.util.List;

/// The members on whose consent a holder lives while no controller is in reach (DESIGN section 4, SAFETY S5–S7): it
/// needs the fresh consent of *every* one of them. With an empty circle nobody could be promoted, and the holder
/// lives on its own.
///
/// @param version rises with every change under one epoch; the holder tells in its heartbeats which one it counts
/// @param members host names, without the holder's own
public record Circle(long version, List<String> members) {
    public Circle {
        members = List.copyOf(members);
        if (version < 1) {
            throw new IllegalArgumentException("a circle's version is at least 1, not " + version);
        }
    }
}
