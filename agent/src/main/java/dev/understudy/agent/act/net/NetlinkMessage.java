package dev.understudy.agent.act.net;

import dev.understudy.agent.sys.LibC;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// How rtnetlink(7) messages are written and read: header, fixed part, attributes; all in the machine's byte order.
/// Pure.
final class NetlinkMessage {

    static final int HEADER = 16;
    static final int RTM_NEWLINK = 16;
    static final int RTM_NEWADDR = 20;
    static final int RTM_DELADDR = 21;
    static final int IFA_ADDRESS = 1;
    static final int IFA_LOCAL = 2;
    private static final int IFF_LOWER_UP = 0x10000;

    private NetlinkMessage() {}

    /// Length and sequence are filled in when it is sent.
    static ByteBuffer start(int type, int flags) {
        ByteBuffer request = buffer(256);
        request.putInt(0)
                .putShort((short) type)
                .putShort((short) flags)
                .putInt(0)
                .putInt(0);
        return request;
    }

    static void attribute(ByteBuffer request, int type, byte[] value) {
        request.putShort((short) (4 + value.length)).putShort((short) type).put(value);
        while (request.position() % 4 != 0) {
            request.put((byte) 0);
        }
    }

    /// The messages of one datagram.
    static List<ByteBuffer> split(byte[] bytes, int total) {
        List<ByteBuffer> messages = new ArrayList<>();
        int at = 0;
        while (at + HEADER <= total) {
            int length =
                    ByteBuffer.wrap(bytes, at, 4).order(ByteOrder.nativeOrder()).getInt();
            if (length < HEADER || at + length > total) {
                break;
            }
            ByteBuffer message = buffer(length);
            message.put(bytes, at, length).flip();
            messages.add(message);
            at += (length + 3) & ~3;
        }
        return messages;
    }

    static int type(ByteBuffer message) {
        return message.getShort(4);
    }

    /// The index of the link that an address or link message is about.
    static int linkIndex(ByteBuffer message) {
        return message.getInt(HEADER + 4);
    }

    /// Whether a link message tells of a carrier.
    static boolean carrier(ByteBuffer message) {
        return (message.getInt(HEADER + 8) & IFF_LOWER_UP) != 0;
    }

    /// The value of an attribute, null if the message has none of that type.
    static byte @Nullable [] find(ByteBuffer message, int from, int type) {
        int at = from;
        while (at + 4 <= message.limit()) {
            int length = message.getShort(at) & 0xffff;
            if (length < 4) {
                return null;
            }
            if ((message.getShort(at + 2) & 0x3fff) == type) {
                byte[] value = new byte[length - 4];
                message.get(at + 4, value);
                return value;
            }
            at += (length + 3) & ~3;
        }
        return null;
    }

    /// The address of an address message, null if it is of another family than IPv4 and IPv6.
    static @Nullable InetAddress addressOf(ByteBuffer message) {
        byte[] local = find(message, HEADER + 8, IFA_LOCAL);
        byte[] bytes = local != null ? local : find(message, HEADER + 8, IFA_ADDRESS);
        try {
            return bytes == null ? null : InetAddress.getByAddress(bytes);
        } catch (UnknownHostException e) {
            return null;
        }
    }

    static int family(InetAddress address) {
        return address instanceof Inet4Address ? LibC.AF_INET : LibC.AF_INET6;
    }

    static byte[] ints(int... values) {
        ByteBuffer bytes = buffer(4 * values.length);
        for (int value : values) {
            bytes.putInt(value);
        }
        return written(bytes);
    }

    static byte[] written(ByteBuffer buffer) {
        byte[] bytes = new byte[buffer.position()];
        buffer.flip().get(bytes);
        return bytes;
    }

    static ByteBuffer buffer(int size) {
        return ByteBuffer.allocate(size).order(ByteOrder.nativeOrder());
    }
}
