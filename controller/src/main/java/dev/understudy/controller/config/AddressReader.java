package dev.understudy.controller.config;

import dev.understudy.protocol.ClusterSpec.VirtualAddress;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Reads addresses and keeps account of who has which: no address may stand twice in one file, be it a host's or a
/// virtual one.
final class AddressReader {

    private static final String EXAMPLE = "an address with its prefix length such as 192.0.2.10/24";

    private final Map<IpAddress, String> owners = new HashMap<>();

    /// A host's own address.
    String host(Section host, String name) {
        String text = host.required("address", "the host's address, such as 10.0.0.11");
        if (text.isEmpty()) {
            return text;
        }
        Optional<IpAddress> address = IpAddress.parse(text);
        if (address.isEmpty()) {
            String prefix = text.indexOf('/') >= 0 ? " (a host's address has no prefix length)" : "";
            host.problem("address", "'" + text + "' is not an IPv4 or IPv6 address" + prefix);
            return text;
        }
        claim(host, "address", address.get(), "the address of host " + name);
        return address.get().text();
    }

    /// A virtual address: `{ip: 192.0.2.10/24, interface: eth0, gateway: 192.0.2.1}`.
    VirtualAddress virtual(Section section) {
        String text = section.required("ip", EXAMPLE);
        String networkInterface = section.required("interface", "the network interface's name, such as eth0");
        if (!networkInterface.isEmpty() && !networkInterface.matches("[^\\s/:]{1,15}")) {
            section.problem("interface", "'" + networkInterface + "' is not the name of a network interface");
        }
        int slash = text.indexOf('/');
        String ip = slash < 0 ? text : text.substring(0, slash);
        String prefixText = slash < 0 ? "" : text.substring(slash + 1);
        Optional<IpAddress> address = IpAddress.parse(ip);
        int prefix = 0;
        if (!text.isEmpty()) {
            if (address.isEmpty()) {
                section.problem("ip", "'" + text + "' is not " + EXAMPLE);
            } else {
                prefix = prefix(section, text, prefixText, address.get());
                claim(section, "ip", address.get(), "a virtual address in line " + section.valueLine("ip"));
            }
        }
        String gateway = gateway(section, address, prefix);
        return new VirtualAddress(address.map(IpAddress::text).orElse(ip), prefix, networkInterface, gateway);
    }

    private static int prefix(Section section, String text, String prefixText, IpAddress address) {
        if (prefixText.isEmpty()) {
            section.problem("ip", "'" + text + "' has no prefix length: expected " + EXAMPLE);
            return 0;
        }
        if (!prefixText.matches("[1-9]\\d{0,2}") || Integer.parseInt(prefixText) > address.bits()) {
            section.problem("ip", "the prefix length in '" + text + "' is not a number from 1 to " + address.bits());
            return 0;
        }
        return Integer.parseInt(prefixText);
    }

    private static @Nullable String gateway(Section section, Optional<IpAddress> address, int prefix) {
        Optional<String> text = section.scalar("gateway", "the gateway's address");
        if (text.isEmpty()) {
            return null;
        }
        Optional<IpAddress> gateway = IpAddress.parse(text.get());
        if (gateway.isEmpty()) {
            section.problem("gateway", "'" + text.get() + "' is not an IPv4 or IPv6 address");
            return null;
        }
        boolean checkable =
                address.isPresent() && prefix > 0 && prefix < address.get().bits();
        if (checkable && !address.get().sameNetwork(gateway.get(), prefix)) {
            section.problem(
                    "gateway",
                    "'" + text.get() + "' is not in the network of "
                            + address.get().text() + "/" + prefix);
        } else if (address.isPresent() && address.get().equals(gateway.get())) {
            section.problem("gateway", "'" + text.get() + "' is the virtual address itself");
        }
        return gateway.get().text();
    }

    private void claim(Section section, String key, IpAddress address, String owner) {
        Optional<String> unusable = address.unusable();
        if (unusable.isPresent()) {
            section.problem(key, "'" + address.text() + "' " + unusable.get());
            return;
        }
        String earlier = owners.putIfAbsent(address, owner);
        if (earlier != null) {
            section.problem(key, "'" + address.text() + "' is already " + earlier);
        }
    }
}
