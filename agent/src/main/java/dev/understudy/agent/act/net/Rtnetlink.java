package dev.understudy.agent.act.net;

import static dev.understudy.agent.act.net.NetlinkMessage.HEADER;
import static dev.understudy.agent.act.net.NetlinkMessage.IFA_ADDRESS;
import static dev.understudy.agent.act.net.NetlinkMessage.IFA_LOCAL;
import static dev.understudy.agent.act.net.NetlinkMessage.RTM_DELADDR;
import static dev.understudy.agent.act.net.NetlinkMessage.RTM_NEWADDR;
import static dev.understudy.agent.act.net.NetlinkMessage.attribute;
import static dev.understudy.agent.act.net.NetlinkMessage.family;
import static dev.understudy.agent.act.net.NetlinkMessage.ints;
import static dev.understudy.agent.act.net.NetlinkMessage.start;
import static dev.understudy.agent.act.net.NetlinkMessage.written;

import dev.understudy.agent.sys.LibC;
import dev.understudy.agent.sys.NetworkNamespace;
import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/// Addresses and links of this network namespace through the kernel's own interface, rtnetlink(7): about 0.1 ms an
/// act where an `ip` process costs 5 to 10 ms, and errors are numbers. Thread-safe; blocks at most [#PATIENCE].
final class Rtnetlink implements AutoCloseable {

    static final int BUFFER = 64 * 1024;

    private static final Duration PATIENCE = Duration.ofMillis(500);
    static final int NETLINK_ROUTE = 0;
    static final int NETLINK_NETFILTER = 12;
    private static final int NLMSG_ERROR = 2;
    private static final int NLMSG_DONE = 3;
    private static final int RTM_GETLINK = 18;
    private static final int RTM_GETADDR = 22;
    private static final int REQUEST = 0x1;
    private static final int MULTI = 0x2;
    private static final int ACK = 0x4;
    private static final int DUMP = 0x300;
    private static final int REPLACE = 0x100;
    private static final int CREATE = 0x400;
    private static final int IFA_CACHEINFO = 6;
    private static final int IFA_FLAGS = 8;
    private static final int IFA_F_NODAD = 0x02;
    private static final int IFLA_ADDRESS = 1;
    private static final int IFLA_IFNAME = 3;

    private final int socket;
    private final byte[] buffer = new byte[BUFFER];
    private int sequence;
    private boolean closed;

    /// @param mac the hardware address, its six bytes as one number
    record Link(int index, long mac, boolean carrier) {
        byte[] macBytes() {
            byte[] bytes = new byte[6];
            for (int i = 0; i < bytes.length; i++) {
                bytes[i] = (byte) (mac >> (8 * (5 - i)));
            }
            return bytes;
        }

        /// As people write it, in small letters.
        String macText() {
            return HexFormat.ofDelimiter(":").formatHex(macBytes());
        }
    }

    /// An address of a link.
    record OnLink(InetAddress address, int prefix) {}

    Rtnetlink(NetworkNamespace namespace) throws IOException {
        socket = open(namespace, NETLINK_ROUTE, 0);
    }

    /// @param groups of messages that the kernel sends by itself, as bits
    static int open(NetworkNamespace namespace, int protocol, int groups) throws IOException {
        int socket = namespace.open(() -> LibC.socket(LibC.AF_NETLINK, LibC.SOCK_RAW | LibC.SOCK_CLOEXEC, protocol));
        check(socket, "cannot open a netlink socket");
        ByteBuffer address = NetlinkMessage.buffer(12);
        address.putShort((short) LibC.AF_NETLINK).putShort((short) 0).putInt(0).putInt(groups);
        check(LibC.bind(socket, written(address)), "cannot bind a netlink socket");
        return socket;
    }

    /// A lifetime without end, `INFINITY_LIFE_TIME` of rtnetlink.
    static final long FOR_EVER = Long.MAX_VALUE;

    /// Adds the address, or gives it a new lifetime if it is there. IPv6 without duplicate address detection, and
    /// never preferred: the host's own connections, such as replication, must not begin at it.
    void put(InetAddress address, int prefix, int linkIndex, long lifetimeSeconds) throws IOException {
        ByteBuffer request = start(RTM_NEWADDR, REQUEST | ACK | CREATE | REPLACE);
        addressHeader(request, address, prefix, linkIndex);
        if (!(address instanceof Inet4Address)) {
            attribute(request, IFA_FLAGS, ints(IFA_F_NODAD));
        }
        int seconds = lifetimeSeconds == FOR_EVER ? -1 : (int) Math.min(Integer.MAX_VALUE, lifetimeSeconds);
        int preferred = address instanceof Inet4Address ? seconds : 0;
        attribute(request, IFA_CACHEINFO, ints(preferred, seconds, 0, 0)); // preferred, valid
        check(ask(request).error(), "cannot add " + address.getHostAddress());
    }

    /// Removes the address, with whatever prefixes it is there; false if it was not.
    boolean remove(InetAddress address, int linkIndex) throws IOException {
        boolean removed = false;
        for (int prefix : prefixes(address, linkIndex)) {
            ByteBuffer request = start(RTM_DELADDR, REQUEST | ACK);
            addressHeader(request, address, prefix, linkIndex);
            int error = ask(request).error();
            if (error != -LibC.EADDRNOTAVAIL && error != -LibC.ENODEV) { // somebody was faster
                check(error, "cannot remove " + address.getHostAddress() + "/" + prefix);
                removed = true;
            }
        }
        return removed;
    }

    /// Whether the address is on the link, with whatever prefix.
    boolean present(InetAddress address, int linkIndex) throws IOException {
        return !prefixes(address, linkIndex).isEmpty();
    }

    private List<Integer> prefixes(InetAddress address, int linkIndex) throws IOException {
        return addresses(linkIndex, family(address)).stream()
                .filter(a -> a.address().equals(address))
                .map(OnLink::prefix)
                .toList();
    }

    /// The addresses of a link, of both families.
    List<OnLink> addresses(int linkIndex) throws IOException {
        return addresses(linkIndex, 0);
    }

    private List<OnLink> addresses(int linkIndex, int family) throws IOException {
        ByteBuffer request = start(RTM_GETADDR, REQUEST | DUMP);
        request.put((byte) family).put((byte) 0).put((byte) 0).put((byte) 0).putInt(0);
        Answer answer = ask(request);
        check(answer.error(), "cannot list addresses");
        List<OnLink> addresses = new ArrayList<>();
        for (ByteBuffer message : answer.messages()) {
            if (NetlinkMessage.type(message) == RTM_NEWADDR && NetlinkMessage.linkIndex(message) == linkIndex) {
                InetAddress address = NetlinkMessage.addressOf(message);
                if (address != null) {
                    addresses.add(new OnLink(address, message.get(HEADER + 1) & 0xff));
                }
            }
        }
        return addresses;
    }

    /// The link of that name, empty if there is none.
    Optional<Link> link(String name) throws IOException {
        ByteBuffer request = start(RTM_GETLINK, REQUEST);
        request.put(new byte[16]);
        attribute(request, IFLA_IFNAME, (name + "\0").getBytes(StandardCharsets.US_ASCII));
        Answer answer = ask(request);
        if (answer.error() == -LibC.ENODEV) {
            return Optional.empty();
        }
        check(answer.error(), "cannot look at " + name);
        ByteBuffer message = answer.messages().getFirst();
        long mac = 0;
        byte[] bytes = Objects.requireNonNullElse(NetlinkMessage.find(message, HEADER + 16, IFLA_ADDRESS), new byte[0]);
        for (byte part : bytes) {
            mac = mac << 8 | (part & 0xff);
        }
        return Optional.of(new Link(NetlinkMessage.linkIndex(message), mac, NetlinkMessage.carrier(message)));
    }

    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            LibC.close(socket);
        }
    }

    private record Answer(int error, List<ByteBuffer> messages) {}

    private synchronized Answer ask(ByteBuffer request) throws IOException {
        if (closed) {
            throw new IOException("closed");
        }
        int expected = ++sequence;
        request.putInt(0, request.position()).putInt(8, expected);
        check((int) LibC.send(socket, written(request), new byte[0]), "rtnetlink send");
        List<ByteBuffer> messages = new ArrayList<>();
        while (true) {
            if (LibC.pollReadable(socket, PATIENCE) <= 0) {
                throw new IOException("rtnetlink did not answer in time");
            }
            long got = LibC.receive(socket, buffer);
            check((int) got, "rtnetlink receive");
            for (ByteBuffer message : NetlinkMessage.split(buffer, (int) got)) {
                if (message.getInt(8) != expected) {
                    continue; // an answer that came too late for its own request
                }
                switch (NetlinkMessage.type(message)) {
                    case NLMSG_ERROR -> {
                        return new Answer(message.getInt(HEADER), messages);
                    }
                    case NLMSG_DONE -> {
                        return new Answer(0, messages);
                    }
                    default -> {
                        messages.add(message);
                        if ((message.getShort(6) & MULTI) == 0) {
                            return new Answer(0, messages);
                        }
                    }
                }
            }
        }
    }

    private static void addressHeader(ByteBuffer request, InetAddress address, int prefix, int linkIndex) {
        request.put((byte) family(address))
                .put((byte) prefix)
                .put((byte) 0)
                .put((byte) 0)
                .putInt(linkIndex);
        attribute(request, IFA_LOCAL, address.getAddress());
        attribute(request, IFA_ADDRESS, address.getAddress());
    }

    private static void check(int result, String what) throws IOException {
        if (result < 0) {
            throw new IOException(what + ": errno " + -result);
        }
    }
}
