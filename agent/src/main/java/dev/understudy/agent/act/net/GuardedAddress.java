package dev.understudy.agent.act.net;

import dev.understudy.protocol.ClusterSpec.VirtualAddress;
import java.io.IOException;
import java.net.InetAddress;
import java.util.Optional;

/// A virtual address and its interface. The interface is looked up at each act: it may have been made anew.
record GuardedAddress(VirtualAddress spec, InetAddress address, Rtnetlink links) {

    GuardedAddress(VirtualAddress spec, Rtnetlink links) {
        this(spec, InetAddress.ofLiteral(spec.ip()), links);
    }

    /// Adds it, or gives it a new lifetime.
    void put(long seconds) throws IOException {
        Rtnetlink.Link link = link().orElseThrow(() -> new IOException("no interface " + spec.networkInterface()));
        links.put(address, spec.prefix(), link.index(), seconds);
    }

    /// Removes it with whatever prefix it has; false if it was not there.
    boolean remove() throws IOException {
        Optional<Rtnetlink.Link> link = link();
        return link.isPresent() && links.remove(address, link.get().index());
    }

    boolean present() throws IOException {
        Optional<Rtnetlink.Link> link = link();
        return link.isPresent() && links.present(address, link.get().index());
    }

    boolean carrier() throws IOException {
        return link().map(Rtnetlink.Link::carrier).orElse(false);
    }

    Optional<Rtnetlink.Link> link() throws IOException {
        return links.link(spec.networkInterface());
    }
}
