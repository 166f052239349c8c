package dev.understudy.core;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// What is journaled of a primary's members beside its ackers (S14, S20).
///
/// @param promotable who may be promoted in its place. Each was seen with everything that the primary had while it
/// waited for acknowledgements; since then whatever a client was told is safe is on an acker. Empty: nobody knows
/// that, and only everybody's positions together, the old primary's among them, say what there is.
/// @param departures by member, for those that have left the ackers in an orderly way or are about to; over when the
/// primary changes
/// @param unacknowledged how many commits the primary had answered without an acknowledgement when it was last known
/// to wait for them; any more void the set
/// @param number of the event that last said whether the primary waits for acknowledgements: orders are counted by it
public record Membership(List<String> promotable, Map<String, Departure> departures, long unacknowledged, long number) {

    public static final Membership NONE = new Membership(List.of(), Map.of(), 0, 0);

    public enum Stage {
        /// still an acker, no longer promotable: it is being shut out at the primary
        LEAVING,
        /// no acker any more: the primary does not hear it
        LEFT,
        /// an acker again, to be let in before it is told to follow
        RETURNING
    }

    /// @param number of the event that began the stage: the primary's agent counts orders to shut out and let in by it
    public record Departure(Stage stage, long number) {}

    public Membership {
        promotable = List.copyOf(promotable);
        departures = Map.copyOf(departures);
    }

    /// Whether orders to shut the member out may be in force.
    public boolean isShutOut(String member) {
        Departure departure = departures.get(member);
        return departure != null && departure.stage() != Stage.RETURNING;
    }

    public boolean isAt(String member, Stage stage) {
        Departure departure = departures.get(member);
        return departure != null && departure.stage() == stage;
    }

    public Membership leaving(String member, long event) {
        return without(member).with(member, new Departure(Stage.LEAVING, event));
    }

    /// Orders go on being counted as before: it stays shut out.
    public Membership left(String member) {
        Departure departure = departures.get(member);
        return departure == null ? this : with(member, new Departure(Stage.LEFT, departure.number()));
    }

    public Membership returning(String member, long event) {
        return with(member, new Departure(Stage.RETURNING, event));
    }

    /// It has come back, if it was away, and has everything.
    public Membership promoting(String member) {
        List<String> more = new ArrayList<>(promotable);
        more.remove(member);
        more.add(member);
        return new Membership(more, with(member, null).departures, unacknowledged, number);
    }

    /// Nobody may be promoted any more.
    public Membership voided(long event) {
        return new Membership(List.of(), departures, unacknowledged, event);
    }

    public Membership waitingSince(long unacknowledgedThen) {
        return new Membership(promotable, departures, unacknowledgedThen, number);
    }

    private Membership without(String member) {
        return new Membership(
                promotable.stream().filter(m -> !m.equals(member)).toList(), departures, unacknowledged, number);
    }

    private Membership with(String member, @Nullable Departure departure) {
        Map<String, Departure> next = new TreeMap<>(departures);
        if (departure == null) {
            next.remove(member);
        } else {
            next.put(member, departure);
        }
        return new Membership(promotable, next, unacknowledged, number);
    }
}
