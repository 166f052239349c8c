package dev.understudy.agent.sys;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
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

    /// The other host's.
    public NetworkNamespace otherNamespace() {
        return NetworkNamespace.named(there);
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

    /// Whether somebody on the wire answers a neighbour solicitation for the IPv6 address, asked anew.
    public boolean saysWhoHas(String ip) {
        there("ip", "-6", "neigh", "flush", "all");
        there("ping", "-n", "-q", "-c", "1", "-W", "0.5", ip);
        return !neighbour(ip).isEmpty();
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

    /// A server on every address of the host that holds addresses.
    public ServerSocket listenHere(int port) throws IOException {
        return inside(here, () -> new ServerSocket(port, 4000)); // more than a test leaves unaccepted
    }

    public Socket connectHere(String from, String to, int port) throws IOException {
        return inside(here, () -> connected(from, to, port));
    }

    /// A connection of the other host; fails when nothing answers within half a second.
    public Socket connectThere(String from, String to, int port) throws IOException {
        return inside(there, () -> connected(from, to, port));
    }

    private static Socket connected(String from, String to, int port) throws IOException {
        Socket socket = new Socket();
        try {
            socket.bind(new InetSocketAddress(InetAddress.ofLiteral(from), 0));
            socket.connect(new InetSocketAddress(InetAddress.ofLiteral(to), port), 500);
            return socket;
        } catch (IOException e) {
            socket.close();
            throw e;
        }
    }

    /// A socket belongs to the namespace of the thread that made it.
    private static <T> T inside(String host, Callable<T> maker) throws IOException {
        FutureTask<T> task = new FutureTask<>(maker);
        NetworkNamespace.named(host).open(() -> {
            task.run();
            return 0;
        });
        try {
            return task.get();
        } catch (ExecutionException e) {
            throw new IOException(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(e);
        }
    }

    @Override
    public void close() {
        Shell.run(List.of("ip", "netns", "del", here));
        Shell.run(List.of("ip", "netns", "del", there));
    }
}
