package dev.understudy.agent.act.net;

import dev.understudy.agent.sys.LibC;
import dev.understudy.agent.sys.NetworkNamespace;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/// Sends Ethernet frames through a packet socket, packet(7). These pass no nftables hook of ours, so whoever sends
/// asks its lease right before. Thread-safe.
final class PacketSender implements AutoCloseable {

    private final int socket;

    PacketSender(NetworkNamespace namespace) throws IOException {
        // protocol 0: nothing is received
        socket = namespace.open(() -> LibC.socket(LibC.AF_PACKET, LibC.SOCK_RAW | LibC.SOCK_CLOEXEC, 0));
        if (socket < 0) {
            throw new IOException("cannot open a packet socket: errno " + -socket);
        }
    }

    void send(byte[] frame, int linkIndex) throws IOException {
        ByteBuffer address = ByteBuffer.allocate(20).order(ByteOrder.nativeOrder());
        address.putShort((short) LibC.AF_PACKET);
        address.put(frame[12]).put(frame[13]); // the frame's protocol, in network order
        address.putInt(linkIndex).putShort((short) 0).put((byte) 0).put((byte) 6);
        address.put(frame, 0, 6);
        long sent = LibC.send(socket, frame, address.array());
        if (sent < 0) {
            throw new IOException("cannot send a frame: errno " + -sent);
        }
    }

    @Override
    public void close() {
        LibC.close(socket);
    }
}
