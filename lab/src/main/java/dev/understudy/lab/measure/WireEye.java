package dev.understudy.lab.measure;

import dev.understudy.lab.kernel.PacketSocket;
import dev.understudy.lab.site.LabHost;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;

/// Looks for the holders of one address on the wire, as a neighbour sees them: every round it asks by ARP who has
/// the address, and sends a SYN for it to the hardware address of each host that might hold it. Whoever answers
/// either speaks for the address, whatever its processes do.
///
/// Two hosts that answer the same question in two rounds on end held it at one time: the one that answered first in
/// one round still did so after the other had. (A host that is cut off is not seen from here; [HolderWatch] looks
/// inside too.)
final class WireEye implements AutoCloseable {

    private static final int ROUND_MILLIS = 25;
    private static final int PROBE_PORT = 1009;
    private static final byte[] BROADCAST = HexFormat.of().parseHex("ffffffffffff");
    /// Asks by ARP under a hardware address of its own and without an IP address (a probe, RFC 5227): answers must
    /// not refresh the neighbour table of the host from which it looks, or its clients would never need an
    /// announcement.
    private static final byte[] ASKER = HexFormat.of().parseHex("02005eec0de0");

    private static final byte[] NO_IP = new byte[4];

    private final byte[] address;
    private final int port;
    private final byte[] mine;
    private final Map<String, byte[]> suspects;
    private final Consumer<String> alarm;
    private final Thread thread;
    private volatile boolean stopped;
    private volatile String failure = "";
    private final Set<String> alarmed = new HashSet<>();
    private int most;
    private long rounds;

    private WireEye(LabHost from, String address, int port, Map<String, byte[]> suspects, Consumer<String> alarm) {
        this.address = InetAddress.ofLiteral(address).getAddress();
        this.port = port;
        this.mine = InetAddress.ofLiteral(from.plan().address()).getAddress();
        this.suspects = Map.copyOf(suspects);
        this.alarm = alarm;
        this.thread = from.network().threads("wire-" + address).newThread(this::run);
    }

    /// @param from the neighbour that looks: a host on the network of the address, through its `eth0`
    /// @param suspects the hosts that might hold it, there through their `eth0` too
    /// @param port a TCP port that the holder serves
    static WireEye start(LabHost from, String address, int port, List<LabHost> suspects, Consumer<String> alarm) {
        var hardware = new HashMap<String, byte[]>();
        for (LabHost host : suspects) {
            String text =
                    host.run("cat", "/sys/class/net/eth0/address").orThrow().output();
            hardware.put(host.name(), HexFormat.ofDelimiter(":").parseHex(text.strip()));
        }
        WireEye eye = new WireEye(from, address, port, hardware, alarm);
        eye.thread.start();
        return eye;
    }

    /// The most hosts that spoke for the address at one time, since the last [#forget].
    ///
    /// @throws IllegalStateException when this eye itself has failed
    synchronized int most() {
        if (!failure.isEmpty()) {
            throw new IllegalStateException("the wire eye failed: " + failure);
        }
        return most;
    }

    synchronized void forget() {
        most = 0;
        alarmed.clear();
    }

    /// How many rounds it has asked.
    synchronized long rounds() {
        return rounds;
    }

    @Override
    public void close() {
        stopped = true;
        thread.interrupt();
    }

    private void run() {
        try {
            NetworkInterface link = NetworkInterface.getByName("eth0");
            if (link == null) {
                throw new IllegalStateException("no eth0");
            }
            byte[] hardware = link.getHardwareAddress();
            try (PacketSocket socket = new PacketSocket(link.getIndex(), PROBE_PORT)) {
                watch(socket, hardware);
            }
        } catch (SocketException | RuntimeException e) {
            failure = e.toString();
        }
    }

    private void watch(PacketSocket socket, byte[] hardware) {
        Map<String, Set<String>> before = Map.of();
        int round = 1;
        while (!stopped) {
            long until = System.nanoTime() + ROUND_MILLIS * 1_000_000L;
            socket.send(arpQuestion());
            for (byte[] suspect : suspects.values()) {
                socket.send(synTo(suspect, hardware, round));
            }
            Map<String, Set<String>> answers = new HashMap<>(Map.of("ARP", new TreeSet<>(), "TCP", new TreeSet<>()));
            long left = ROUND_MILLIS;
            while (left > 0) {
                byte[] frame = socket.receive((int) left);
                if (frame != null) {
                    note(frame, hardware, answers);
                }
                left = (until - System.nanoTime()) / 1_000_000;
            }
            judge(before, answers);
            before = answers;
            round++;
        }
    }

    private synchronized void judge(Map<String, Set<String>> before, Map<String, Set<String>> answers) {
        rounds++;
        answers.forEach((question, hosts) -> {
            Set<String> both = new TreeSet<>(hosts);
            both.retainAll(before.getOrDefault(question, Set.of()));
            if (both.size() >= 2) {
                if (alarmed.add(question)) {
                    alarm.accept("two hosts answer for one address on the wire (" + question + "): " + both);
                }
                most = Math.max(most, both.size());
            } else if (!hosts.isEmpty()) {
                most = Math.max(most, 1);
            }
        });
    }

    /// Whoever speaks for the address to this neighbour: in an ARP answer, or in a segment to the probe's port.
    private void note(byte[] frame, byte[] hardware, Map<String, Set<String>> answers) {
        if (frame.length < 42) {
            return;
        }
        boolean arp = frame[12] == 0x08 && frame[13] == 0x06;
        if (!Arrays.equals(frame, 0, 6, arp ? ASKER : hardware, 0, 6)) {
            return; // an announcement to everybody is no answer
        }
        int source = arp ? 28 : 26;
        if (!Arrays.equals(frame, source, source + 4, address, 0, 4)) {
            return;
        }
        Set<String> hosts = answers.get(arp ? "ARP" : "TCP");
        suspects.forEach((name, suspect) -> {
            if (hosts != null && Arrays.equals(frame, 6, 12, suspect, 0, 6)) {
                hosts.add(name);
            }
        });
    }

    private byte[] arpQuestion() {
        return ByteBuffer.allocate(42)
                .put(BROADCAST)
                .put(ASKER)
                .putShort((short) 0x0806)
                .putShort((short) 1)
                .putShort((short) 0x0800)
                .put((byte) 6)
                .put((byte) 4)
                .putShort((short) 1)
                .put(ASKER)
                .put(NO_IP)
                .put(new byte[6])
                .put(address)
                .array();
    }

    private byte[] synTo(byte[] suspect, byte[] hardware, int round) {
        ByteBuffer ip = ByteBuffer.allocate(20)
                .putShort((short) 0x4500)
                .putShort((short) 40)
                .putInt(0x4000) // may not be fragmented
                .put((byte) 64)
                .put((byte) 6)
                .putShort((short) 0)
                .put(mine)
                .put(address);
        ip.putShort(10, (short) checksum(ip.array(), 0));
        ByteBuffer tcp = ByteBuffer.allocate(20)
                .putShort((short) PROBE_PORT)
                .putShort((short) port)
                .putInt(round * 4096)
                .putInt(0)
                .putShort((short) 0x5002) // SYN
                .putShort((short) 1024)
                .putInt(0);
        ByteBuffer pseudo = ByteBuffer.allocate(32)
                .put(mine)
                .put(address)
                .putShort((short) 6)
                .putShort((short) 20)
                .put(tcp.array());
        tcp.putShort(16, (short) checksum(pseudo.array(), 0));
        return ByteBuffer.allocate(54)
                .put(suspect)
                .put(hardware)
                .putShort((short) 0x0800)
                .put(ip.array())
                .put(tcp.array())
                .array();
    }

    /// The Internet checksum, RFC 1071.
    private static int checksum(byte[] bytes, int start) {
        int sum = start;
        for (int i = 0; i < bytes.length; i += 2) {
            sum += ((bytes[i] & 0xff) << 8) | (bytes[i + 1] & 0xff);
        }
        while (sum >> 16 != 0) {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        return ~sum & 0xffff;
    }
}
