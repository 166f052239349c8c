package dev.understudy.agent;

import dev.understudy.protocol.ClusterSpec.VirtualAddress;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;

/// Whether an address that nobody guards yet is on an interface of this host.
final class HostAddresses {

    private HostAddresses() {}

    static boolean present(VirtualAddress address) {
        try {
            NetworkInterface found = NetworkInterface.getByName(address.networkInterface());
            InetAddress wanted = InetAddress.ofLiteral(address.ip());
            return found != null
                    && found.inetAddresses()
                            .anyMatch(a -> java.util.Arrays.equals(a.getAddress(), wanted.getAddress()));
        } catch (SocketException | IllegalArgumentException e) {
            return false;
        }
    }
}
