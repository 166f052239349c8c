package dev.understudy.core.simulator;

/// A transaction in a binary log: its GTID is `0-server-seq`; `id` is the row that the client wrote, unique for
/// ever. Two rows can bear the same GTID (a server that truncated its log gives numbers again): only `id` tells
/// them apart.
record Row(long seq, int server, long id) {
    String gtid() {
        return "0-" + server + "-" + seq;
    }

    boolean sameGtid(Row other) {
        return seq == other.seq && server == other.server;
    }
}
