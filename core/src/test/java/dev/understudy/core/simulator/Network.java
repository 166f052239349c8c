package dev.understudy.core.simulator;

import java.util.List;

/// Who can send to whom, and what becomes of it: lost, late, repeated, out of order; each direction by itself.
final class Network {

    private final Agenda agenda;
    private final List<String> nodes;
    private final Dice[][] dice;
    private final int[][] blocked;
    private final long[][] slower;
    private final long[][] slowerStreams;
    private double loss;
    private double repeat;
    private long slowest = 2 * Agenda.MILLI;

    Network(Agenda agenda, List<String> nodes, long seed) {
        this.agenda = agenda;
        this.nodes = List.copyOf(nodes);
        int size = nodes.size();
        dice = new Dice[size][size];
        blocked = new int[size][size];
        slower = new long[size][size];
        slowerStreams = new long[size][size];
        for (int from = 0; from < size; from++) {
            for (int to = 0; to < size; to++) {
                dice[from][to] = new Dice(seed, "net " + nodes.get(from) + " " + nodes.get(to));
            }
        }
    }

    List<String> nodes() {
        return nodes;
    }

    /// Messages are lost, repeated or slow everywhere.
    boolean isBad() {
        return loss > 0 || slowest > 100 * Agenda.MILLI;
    }

    /// @param slowestMillis no message takes longer than this
    void weather(double lossRate, double repeatRate, long slowestMillis) {
        loss = lossRate;
        repeat = repeatRate;
        slowest = slowestMillis * Agenda.MILLI;
    }

    /// Every segment of a stream in that direction takes so much longer.
    void slowStreams(String from, String to, long millis) {
        slowerStreams[index(from)][index(to)] = millis * Agenda.MILLI;
    }

    /// Every datagram in that direction takes so much longer.
    void slow(String from, String to, long millis) {
        slower[index(from)][index(to)] = millis * Agenda.MILLI;
    }

    /// Blocks one direction; blocks add up, so that two faults can overlap.
    void block(String from, String to) {
        blocked[index(from)][index(to)]++;
    }

    void unblock(String from, String to) {
        int was = blocked[index(from)][index(to)];
        blocked[index(from)][index(to)] = Math.max(0, was - 1);
    }

    void healAll() {
        for (int[] row : blocked) {
            java.util.Arrays.fill(row, 0);
        }
        for (long[] row : slower) {
            java.util.Arrays.fill(row, 0);
        }
        for (long[] row : slowerStreams) {
            java.util.Arrays.fill(row, 0);
        }
        weather(0, 0, 2);
    }

    boolean open(String from, String to) {
        return blocked[index(from)][index(to)] == 0;
    }

    boolean openBothWays(String one, String other) {
        return open(one, other) && open(other, one);
    }

    /// A datagram: arrives once, several times, or never.
    void send(String from, String to, Runnable arrive) {
        Dice here = dice[index(from)][index(to)];
        if (!open(from, to) || here.chance(loss)) {
            return;
        }
        agenda.in(delay(here) + slower[index(from)][index(to)], arrive);
        if (here.chance(repeat)) {
            agenda.in(delay(here) * 3, arrive);
        }
    }

    /// The delay of one segment of a stream: what is lost comes late instead.
    long streamDelay(String from, String to) {
        Dice here = dice[index(from)][index(to)];
        return delay(here) + slowerStreams[index(from)][index(to)] + (here.chance(loss) ? here.millis(200, 1200) : 0);
    }

    private long delay(Dice here) {
        return here.between(Agenda.MILLI / 10, slowest);
    }

    private int index(String node) {
        return nodes.indexOf(node);
    }
}
