package dev.understudy.agent.act.net;

import dev.understudy.agent.sys.LibC;
import dev.understudy.agent.sys.NetworkNamespace;
import dev.understudy.protocol.Observation.Reach;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;

/// Whether this host reaches the gateway of its clients' network: asks by ARP, with the sender's address left empty
/// (RFC 5227 section 2.1: such a probe changes nobody's cache), and waits for the answer. A gateway may ignore
/// pings; none ignores ARP. Confined to one thread; IPv4.
public final class GatewayEye implements AutoCloseable {

    /// Questions without an answer before silence is told: one lost frame is none.
    private static final int PATIENCE = 3;

    private static final int ARP = 0x0806;
    private static final byte[] BROADCAST = {-1, -1, -1, -1, -1, -1};

    private final String networkInterface;
    private final byte[] gateway;
    private final Rtnetlink links;
    private final PacketSender sender;
    private final int receiver;
    private int unanswered;

    /// @throws IOException without the right to open packet sockets
    public GatewayEye(NetworkNamespace namespace, String networkInterface, InetAddress gateway) throws IOException {
        this.networkInterface = networkInterface;
        this.gateway = gateway.getAddress();
        links = new Rtnetlink(namespace);
        sender = new PacketSender(namespace);
        short protocol =
                ByteOrder.nativeOrder() == ByteOrder.BIG_ENDIAN ? (short) ARP : Short.reverseBytes((short) ARP);
        receiver = namespace.open(
                () -> LibC.socket(LibC.AF_PACKET, LibC.SOCK_RAW | LibC.SOCK_CLOEXEC, Short.toUnsignedInt(protocol)));
        if (receiver < 0) {
            throw new IOException("cannot open a packet socket: errno " + -receiver);
        }
    }

    /// Asks once. Empty while it is not known: there was no answer, and not often enough to call it silence.
    public Optional<Reach> look(Duration patience) throws IOException {
        Optional<Rtnetlink.Link> link = links.link(networkInterface);
        if (link.isPresent() && link.get().carrier()) {
            sender.send(question(link.get().macBytes()), link.get().index());
            if (answered(patience)) {
                unanswered = 0;
                return Optional.of(Reach.ANSWERS);
            }
        }
        return ++unanswered < PATIENCE ? Optional.empty() : Optional.of(Reach.SILENT);
    }

    private byte[] question(byte[] mac) {
        ByteBuffer frame = ByteBuffer.allocate(60);
        frame.put(BROADCAST).put(mac).putShort((short) ARP);
        frame.putShort((short) 1).putShort((short) 0x0800).put((byte) 6).put((byte) 4);
        frame.putShort((short) 1);
        frame.put(mac).putInt(0).put(new byte[6]).put(gateway);
        return frame.array();
    }

    private boolean answered(Duration patience) {
        long end = System.nanoTime() + patience.toNanos();
        byte[] frame = new byte[128];
        while (true) {
            long left = end - System.nanoTime();
            if (left <= 0 || LibC.pollReadable(receiver, Duration.ofNanos(left).plusMillis(1)) <= 0) {
                return false;
            }
            long length = LibC.receive(receiver, frame);
            boolean reply = length >= 42 && frame[20] == 0 && frame[21] == 2;
            if (reply && Arrays.equals(frame, 28, 32, gateway, 0, 4)) {
                return true;
            }
        }
    }

    @Override
    public void close() {
        LibC.close(receiver);
        sender.close();
        links.close();
    }
}
