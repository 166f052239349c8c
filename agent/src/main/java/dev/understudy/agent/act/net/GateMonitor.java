package dev.understudy.agent.act.net;

import dev.understudy.agent.sys.LibC;
import dev.understudy.agent.sys.NetworkNamespace;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/// Listens to what nftables tells of its tables (the group of `nft monitor`, linux/netfilter/nfnetlink.h), on a
/// daemon platform thread of its own: says when something of the tables of one name came or went, by whomever, once
/// for a burst of messages. Elements are of no interest: each renewal changes some.
final class GateMonitor implements AutoCloseable {

    /// NFNLGRP_NFTABLES is group 7.
    private static final int GROUPS = 1 << 6;
    private static final int SUBSYSTEM_NFTABLES = 10;
    private static final int TABLE_NAME = 1; // the same number in every message that names a table
    private static final int NFGENMSG = 4;
    private static final Duration LOOK = Duration.ofSeconds(1);

    private final int socket;
    private final String name;
    private final Runnable changed;
    private volatile boolean closed;

    GateMonitor(NetworkNamespace namespace, String name, Runnable changed) throws IOException {
        this.name = name;
        this.changed = changed;
        socket = Rtnetlink.open(namespace, Rtnetlink.NETLINK_NETFILTER, GROUPS);
        Thread.ofPlatform().daemon().name("gate-monitor").start(this::run);
    }

    @Override
    public void close() {
        closed = true;
    }

    private void run() {
        byte[] buffer = new byte[Rtnetlink.BUFFER];
        try {
            while (!closed) {
                if (LibC.pollReadable(socket, LOOK) <= 0) {
                    continue;
                }
                boolean ours = false;
                do {
                    ours |= aboutUs(buffer, LibC.receive(socket, buffer));
                } while (!closed && LibC.pollReadable(socket, Duration.ZERO) > 0);
                if (ours && !closed) {
                    changed.run();
                }
            }
        } finally {
            LibC.close(socket);
        }
    }

    private boolean aboutUs(byte[] buffer, long got) {
        if (got == -LibC.ENOBUFS) {
            return true; // messages were lost: look
        }
        return got > 0 && NetlinkMessage.split(buffer, (int) got).stream().anyMatch(this::aboutUs);
    }

    private boolean aboutUs(ByteBuffer message) {
        int type = NetlinkMessage.type(message);
        if (type >> 8 != SUBSYSTEM_NFTABLES || !structural(type & 0xff)) {
            return false;
        }
        byte[] table = NetlinkMessage.find(message, NetlinkMessage.HEADER + NFGENMSG, TABLE_NAME);
        return table != null && new String(table, StandardCharsets.US_ASCII).equals(name + "\0");
    }

    /// Made or deleted: tables (0, 2), chains (3, 5), rules (6, 8), sets (9, 11).
    private static boolean structural(int kind) {
        return kind <= 11 && kind % 3 != 1;
    }
}
