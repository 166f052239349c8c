package dev.understudy.controller.config;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.util.Arrays;
import java.util.Optional;
import java.util.regex.Pattern;

/// An IPv4 or IPv6 address as a number; two spellings of one address are equal.
final class IpAddress {

    private static final Pattern IPV4 = Pattern.compile("(\\d{1,3})\\.(\\d{1,3})\\.(\\d{1,3})\\.(\\d{1,3})");
    private static final Pattern IPV6 = Pattern.compile("[0-9a-fA-F:]+(\\d+\\.\\d+\\.\\d+\\.\\d+)?");

    private final String text;
    private final byte[] bytes;

    private IpAddress(String text, byte[] bytes) {
        this.text = text;
        this.bytes = bytes;
    }

    /// As it was written, in lower case.
    String text() {
        return text;
    }

    /// Reads four decimal numbers without leading zeros, or an IPv6 address without a zone. No name is looked up.
    static Optional<IpAddress> parse(String text) {
        return text.indexOf(':') >= 0 ? parse6(text) : parse4(text);
    }

    private static Optional<IpAddress> parse4(String text) {
        var matcher = IPV4.matcher(text);
        if (!matcher.matches()) {
            return Optional.empty();
        }
        byte[] bytes = new byte[4];
        for (int i = 0; i < 4; i++) {
            String part = matcher.group(i + 1);
            int value = Integer.parseInt(part);
            if (value > 255 || (part.length() > 1 && part.startsWith("0"))) {
                return Optional.empty();
            }
            bytes[i] = (byte) value;
        }
        return Optional.of(new IpAddress(text, bytes));
    }

    private static Optional<IpAddress> parse6(String text) {
        if (!IPV6.matcher(text).matches()) {
            return Optional.empty();
        }
        try {
            InetAddress address = Inet6Address.ofLiteral(text);
            return Optional.of(new IpAddress(text.toLowerCase(java.util.Locale.ROOT), address.getAddress()));
        } catch (IllegalArgumentException _) {
            return Optional.empty();
        }
    }

    int bits() {
        return bytes.length * 8;
    }

    /// Whether the other address lies in the network that this address and the prefix length name.
    boolean sameNetwork(IpAddress other, int prefix) {
        if (other.bits() != bits()) {
            return false;
        }
        for (int bit = 0; bit < prefix; bit++) {
            int mask = 0x80 >> (bit % 8);
            if ((bytes[bit / 8] & mask) != (other.bytes[bit / 8] & mask)) {
                return false;
            }
        }
        return true;
    }

    /// A reason why no host may have this address; empty if one may.
    Optional<String> unusable() {
        try {
            InetAddress address = InetAddress.getByAddress(bytes);
            if (address.isAnyLocalAddress()) {
                return Optional.of("is the unspecified address");
            }
            if (address.isMulticastAddress()) {
                return Optional.of("is a multicast address");
            }
            return Arrays.equals(bytes, new byte[] {-1, -1, -1, -1})
                    ? Optional.of("is the broadcast address")
                    : Optional.empty();
        } catch (java.net.UnknownHostException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof IpAddress ip && Arrays.equals(ip.bytes, bytes);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(bytes);
    }
}
