package dev.understudy.core.simulator;

/// A transaction in a binary log: its GTID is `0-server-seq`; `id` is the row that the client wrote, unique for
/// ever. Two rows can bear the same GTID (a server that truncated its log gives numbers again): only `id` tells
/// them apart.
///
/// @param beat of a heartbeat row: when its primary's agent wrote it, in microseconds of that host's clock; 0 for any
/// other row
record Row(long seq, int server, long id, long beat) {
    Row(long seq, int server, long id) {
        this(seq, server, id, 0);
    }

    String gtid() {
        return "0-" + server + "-" + seq;
    }

    boolean sameGtid(Row other) {
        return seq == other.seq && server == other.server;
    }
}
