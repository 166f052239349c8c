package dev.understudy.agent.act.net;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.List;

/// Ethernet frames that tell the neighbours who has an address now: gratuitous ARP as request and as reply (RFC
/// 5227 section 3; neighbours differ in which they heed), or an unsolicited neighbour advertisement with the
/// override flag (RFC 4861 section 7.2.6). Pure.
final class Announcement {

    private static final byte[] BROADCAST = {-1, -1, -1, -1, -1, -1};
    private static final byte[] ALL_NODES_MAC = {0x33, 0x33, 0, 0, 0, 1};
    private static final byte[] ALL_NODES = {(byte) 0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    private static final int ICMPV6 = 58;
    private static final int ADVERTISEMENT_BYTES = 32;

    private Announcement() {}

    static List<byte[]> frames(InetAddress address, byte[] mac) {
        return address instanceof Inet4Address
                ? List.of(arp(1, address.getAddress(), mac), arp(2, address.getAddress(), mac))
                : List.of(advertisement(address.getAddress(), mac));
    }

    private static byte[] arp(int operation, byte[] ip, byte[] mac) {
        ByteBuffer frame = ByteBuffer.allocate(60); // the least an Ethernet frame may have
        frame.put(BROADCAST).put(mac).putShort((short) 0x0806);
        frame.putShort((short) 1).putShort((short) 0x0800).put((byte) 6).put((byte) 4);
        frame.putShort((short) operation);
        frame.put(mac).put(ip).put(BROADCAST).put(ip);
        return frame.array();
    }

    private static byte[] advertisement(byte[] ip, byte[] mac) {
        ByteBuffer body = ByteBuffer.allocate(ADVERTISEMENT_BYTES);
        body.put((byte) 136)
                .put((byte) 0)
                .putShort((short) 0)
                .putInt(0x2000_0000)
                .put(ip);
        body.put((byte) 2).put((byte) 1).put(mac);
        body.putShort(2, checksum(ip, body.array()));
        ByteBuffer frame = ByteBuffer.allocate(14 + 40 + ADVERTISEMENT_BYTES);
        frame.put(ALL_NODES_MAC).put(mac).putShort((short) 0x86dd);
        frame.putInt(0x6000_0000)
                .putShort((short) ADVERTISEMENT_BYTES)
                .put((byte) ICMPV6)
                .put((byte) 255);
        frame.put(ip).put(ALL_NODES).put(body.array());
        return frame.array();
    }

    private static short checksum(byte[] source, byte[] body) {
        ByteBuffer all = ByteBuffer.allocate(40 + body.length);
        all.put(source)
                .put(ALL_NODES)
                .putInt(body.length)
                .putInt(ICMPV6)
                .put(body)
                .flip();
        long sum = 0;
        while (all.hasRemaining()) {
            sum += all.getShort() & 0xffff;
        }
        while (sum >> 16 != 0) {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        return (short) ~sum;
    }
}
