package dev.understudy.core;

import dev.understudy.protocol.Circle;
import java.util.ArrayList;
import java.util.List;

/// On whose consent the holder of an epoch may live, and who can close that epoch (S5). Journaled before the holder
/// is told.
///
/// A holder may count the circle that it was told last or an earlier one. `closers` are the members that are in
/// *all* circles that it may be counting: without the consent of any one of them it cannot live, so any one of them
/// can close the epoch. A member that leaves the circle is out of `closers` at once; one that joins is in them only
/// after the holder has said that it counts it.
///
/// @param circle what the holder's grants say
public record Consenting(long epoch, Circle circle, List<String> closers) {

    public Consenting {
        closers = List.copyOf(closers);
    }

    /// The first circle of an epoch: until it was told of one, its holder lived on nobody's consent.
    public static Consenting first(long epoch, List<String> members) {
        return new Consenting(epoch, new Circle(1, members), members);
    }

    /// Other members are eligible now.
    public Consenting changed(List<String> members) {
        List<String> still = new ArrayList<>(closers);
        still.retainAll(members);
        return new Consenting(epoch, new Circle(circle.version() + 1, members), still);
    }

    /// The holder counts the latest circle, durably.
    public Consenting counted() {
        return new Consenting(epoch, circle, circle.members());
    }

    public boolean isCounted() {
        return closers.size() == circle.members().size() && closers.containsAll(circle.members());
    }
}
