package dev.understudy.agent.act.net;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/// Which of an interface's addresses the host itself is reached at by its neighbours. Pure.
final class OwnAddress {

    private OwnAddress() {}

    /// For IPv6 the link-local address, which is always there; for IPv4 preferably one whose network has the virtual
    /// address.
    ///
    /// @param virtual addresses that move
    static Optional<InetAddress> of(List<Rtnetlink.OnLink> onLink, InetAddress address, List<InetAddress> virtual) {
        return onLink.stream()
                .filter(a -> a.address().getClass() == address.getClass())
                .filter(a -> !a.address().equals(address) && !virtual.contains(a.address()))
                .filter(a -> a.address() instanceof Inet4Address || a.address().isLinkLocalAddress())
                .min(Comparator.comparingInt(a -> contains(a, address) ? 0 : 1))
                .map(Rtnetlink.OnLink::address);
    }

    /// Whether a neighbour's address is in a network of the interface, so that no router is between.
    static boolean near(List<Rtnetlink.OnLink> onLink, InetAddress neighbour) {
        return neighbour.isLinkLocalAddress() || onLink.stream().anyMatch(a -> contains(a, neighbour));
    }

    private static boolean contains(Rtnetlink.OnLink network, InetAddress address) {
        byte[] one = network.address().getAddress();
        byte[] other = address.getAddress();
        if (one.length != other.length) {
            return false;
        }
        for (int bit = 0; bit < network.prefix(); bit++) {
            int mask = 0x80 >> (bit % Byte.SIZE);
            if (((one[bit / Byte.SIZE] ^ other[bit / Byte.SIZE]) & mask) != 0) {
                return false;
            }
        }
        return true;
    }
}
