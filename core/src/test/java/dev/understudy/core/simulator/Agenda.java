package dev.understudy.core.simulator;

import java.util.PriorityQueue;

/// Virtual time, in nanoseconds of the true clock, and what is to happen in it. What is due at the same moment
/// happens in the order in which it was planned.
final class Agenda {

    static final long MILLI = 1_000_000L;
    static final long SECOND = 1000 * MILLI;

    private record Item(long at, long order, Runnable what) implements Comparable<Item> {
        @Override
        public int compareTo(Item other) {
            return at != other.at ? Long.compare(at, other.at) : Long.compare(order, other.order);
        }
    }

    private final PriorityQueue<Item> items = new PriorityQueue<>();
    private long now;
    private long planned;

    long now() {
        return now;
    }

    void in(long nanos, Runnable what) {
        items.add(new Item(now + Math.max(0, nanos), planned++, what));
    }

    /// Lets the next thing happen, unless it is due later than `end`.
    boolean next(long end) {
        Item item = items.peek();
        if (item == null || item.at > end) {
            return false;
        }
        items.poll();
        now = item.at;
        item.what.run();
        return true;
    }

    @Override
    public String toString() {
        return "%9.3f s".formatted(now / (double) SECOND);
    }
}
