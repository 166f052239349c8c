package dev.understudy.agent.act.net;

import dev.understudy.agent.sys.LibC;
import dev.understudy.agent.sys.NetworkNamespace;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;

/// Listens to what the kernel tells by itself of addresses and links, on a daemon platform thread of its own.
final class AddressMonitor implements AutoCloseable {

    /// RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR
    private static final int GROUPS = 0x1 | 0x10 | 0x100;
    private static final Duration LOOK = Duration.ofSeconds(1);

    private final int socket;
    private final Consumer<Event> listener;
    private final Map<Integer, Boolean> carriers = new HashMap<>();
    private volatile boolean closed;

    sealed interface Event {
        record Removed(InetAddress address) implements Event {}

        /// A link has a carrier again.
        record CarrierBack() implements Event {}

        /// Messages were lost: look at everything again.
        record Lost() implements Event {}
    }

    AddressMonitor(NetworkNamespace namespace, Consumer<Event> listener) throws IOException {
        this.listener = listener;
        this.socket = Rtnetlink.open(namespace, Rtnetlink.NETLINK_ROUTE, GROUPS);
        Thread.ofPlatform().daemon().name("address-monitor").start(this::run);
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
                long got = LibC.receive(socket, buffer);
                if (got == -LibC.ENOBUFS) {
                    listener.accept(new Event.Lost());
                } else if (got > 0) {
                    NetlinkMessage.split(buffer, (int) got).forEach(this::tell);
                }
            }
        } finally {
            LibC.close(socket);
        }
    }

    private void tell(ByteBuffer message) {
        switch (NetlinkMessage.type(message)) {
            case NetlinkMessage.RTM_DELADDR -> {
                InetAddress address = NetlinkMessage.addressOf(message);
                if (address != null) {
                    listener.accept(new Event.Removed(address));
                }
            }
            case NetlinkMessage.RTM_NEWLINK -> {
                boolean carrier = NetlinkMessage.carrier(message);
                Boolean was = carriers.put(NetlinkMessage.linkIndex(message), carrier);
                if (carrier && Boolean.FALSE.equals(was)) {
                    listener.accept(new Event.CarrierBack());
                }
            }
            default -> {
                // new addresses and removed links are of no interest
            }
        }
    }
}
