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

/// Three hosts on one switch, as network namespaces: a client (10.78.0.1, fd78::1), and two that hand an address
/// over,
/// `one` (10.78.0.2, fd78::2) and `two` (10.78.0.3, fd78::3).
public final class ThreeHosts implements AutoCloseable {

    private static final AtomicInteger COUNT = new AtomicInteger();

    public static final String LINK = "eth0";

    private final String prefix = "usdrain-" + ProcessHandle.current().pid() + "-" + COUNT.incrementAndGet() + "-";

    public enum Host {
        CLIENT("1"),
        ONE("2"),
        TWO("3");

        private final String number;

        Host(String number) {
            this.number = number;
        }
    }

    public ThreeHosts() {
        String wire = prefix + "switch";
        Shell.must("ip", "netns", "add", wire);
        Shell.must("ip", "-n", wire, "link", "add", "br0", "type", "bridge");
        Shell.must("ip", "-n", wire, "link", "set", "br0", "up");
        for (Host host : Host.values()) {
            String name = name(host);
            String port = "port" + host.number;
            Shell.must("ip", "netns", "add", name);
            Shell.must("ip", "-n", name, "link", "add", LINK, "type", "veth", "peer", "name", port, "netns", wire);
            Shell.must("ip", "-n", wire, "link", "set", port, "master", "br0");
            Shell.must("ip", "-n", wire, "link", "set", port, "up");
            Shell.must("ip", "-n", name, "link", "set", "lo", "up");
            Shell.must("ip", "-n", name, "link", "set", LINK, "addrgenmode", "eui64");
            Shell.must("ip", "netns", "exec", name, "sysctl", "-qw", "net.ipv6.conf." + LINK + ".accept_dad=0");
            Shell.must("ip", "-n", name, "link", "set", LINK, "up");
            Shell.must("ip", "-n", name, "addr", "add", "10.78.0." + host.number + "/24", "dev", LINK);
            Shell.must("ip", "-n", name, "addr", "add", "fd78::" + host.number + "/64", "dev", LINK, "nodad");
        }
    }

    private String name(Host host) {
        return prefix + host.name().toLowerCase(java.util.Locale.ROOT);
    }

    public NetworkNamespace namespace(Host host) {
        return NetworkNamespace.named(name(host));
    }

    public Shell.Result on(Host host, String... command) {
        return Shell.run(namespace(host).command(List.of(command)));
    }

    public String mac(Host host) {
        return on(host, "cat", "/sys/class/net/" + LINK + "/address").output().strip();
    }

    public boolean configured(Host host, String ip) {
        return on(host, "ip", "-o", "addr", "show", "dev", LINK).output().contains(" " + ip + "/");
    }

    /// The hardware address that the client has for the address, empty if none.
    public String neighbour(String ip) {
        String line = on(Host.CLIENT, "ip", "neigh", "show", ip).output();
        int at = line.indexOf("lladdr ");
        return at < 0 ? "" : line.substring(at + 7, at + 24);
    }

    /// A server on every address of the host.
    public ServerSocket listen(Host host, int port) throws IOException {
        return inside(host, () -> new ServerSocket(port, 100));
    }

    /// A connection of the client; fails when nothing answers within the time.
    public Socket connect(String to, int port, int timeoutMillis) throws IOException {
        return inside(Host.CLIENT, () -> {
            Socket socket = new Socket();
            try {
                socket.connect(new InetSocketAddress(InetAddress.ofLiteral(to), port), timeoutMillis);
                socket.setTcpNoDelay(true);
                return socket;
            } catch (IOException e) {
                socket.close();
                throw e;
            }
        });
    }

    /// A socket belongs to the namespace of the thread that made it.
    private <T> T inside(Host host, Callable<T> maker) throws IOException {
        FutureTask<T> task = new FutureTask<>(maker);
        namespace(host).open(() -> {
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
        for (Host host : Host.values()) {
            Shell.run(List.of("ip", "-n", name(host), "link", "del", LINK)); // a namespace may outlive its name
            Shell.run(List.of("ip", "netns", "del", name(host)));
        }
        Shell.run(List.of("ip", "netns", "del", prefix + "switch"));
    }
}
