package dev.understudy.agent.sys;

import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/// Two hosts on one wire, as network namespaces: `here` (10.77.0.1, fd77::1), where addresses are held, and `there`
/// (10.77.0.2, fd77::2), which sees them.
public final class TwoHosts implements AutoCloseable {

    private static final AtomicInteger COUNT = new AtomicInteger();

    public static final String LINK = "eth0";

    private final String here;
    private final String there;

    public TwoHosts() {
        String id = ProcessHandle.current().pid() + "-" + COUNT.incrementAndGet();
        here = "usnet-" + id + "-a";
        there = "usnet-" + id + "-b";
        Shell.must("ip", "netns", "add", here);
        Shell.must("ip", "netns", "add", there);
        Shell.must("ip", "-n", here, "link", "add", LINK, "type", "veth", "peer", "name", LINK, "netns", there);
        host(here, "10.77.0.1", "fd77::1");
        host(there, "10.77.0.2", "fd77::2");
    }

    private static void host(String name, String ip, String ip6) {
        Shell.must("ip", "-n", name, "link", "set", "lo", "up");
        Shell.must("ip", "-n", name, "link", "set", LINK, "up");
        Shell.must("ip", "-n", name, "addr", "add", ip + "/24", "dev", LINK);
        Shell.must("ip", "-n", name, "addr", "add", ip6 + "/64", "dev", LINK, "nodad");
    }

    public NetworkNamespace namespace() {
        return NetworkNamespace.named(here);
    }

    /// Runs a command on the host that holds addresses.
    public Shell.Result here(String... command) {
        return Shell.run(NetworkNamespace.named(here).command(List.of(command)));
    }

    /// Runs a command on the other host.
    public Shell.Result there(String... command) {
        return Shell.run(NetworkNamespace.named(there).command(List.of(command)));
    }

    /// Whether the other host gets an answer from the address now.
    public boolean answers(String ip) {
        return there("ping", "-n", "-q", "-c", "1", "-W", "0.3", ip).exit() == 0;
    }

    /// Whether somebody on the wire answers an ARP request for the address.
    public boolean answersArp(String ip) {
        return there("arping", "-q", "-c", "1", "-w", "1", "-I", LINK, ip).exit() == 0;
    }

    public boolean configured(String ip) {
        return here("ip", "-o", "addr", "show", "dev", LINK).output().contains(" " + ip + "/");
    }

    /// The hardware address that the other host has for the address, empty if none.
    public String neighbour(String ip) {
        String line = there("ip", "neigh", "show", ip).output();
        int at = line.indexOf("lladdr ");
        return at < 0 ? "" : line.substring(at + 7, at + 24);
    }

    public String mac() {
        String line = here("cat", "/sys/class/net/" + LINK + "/address").output();
        return line.strip();
    }

    @Override
    public void close() {
        Shell.run(List.of("ip", "netns", "del", here));
        Shell.run(List.of("ip", "netns", "del", there));
    }
}
