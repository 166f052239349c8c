package dev.understudy.lab.story;

import dev.understudy.lab.site.LabHost;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/// Whether packets get from one lab host to another, tried with ordinary sockets inside them.
final class Wires {

    private static final int PORT = 9999;

    private Wires() {}

    /// Whether a datagram sent by one host arrives at the other's address within a short time. Both must know each
    /// other's hardware address already, or the answer is about both directions: see [#acquaint].
    static boolean arrives(LabHost from, LabHost to, String address) throws Exception {
        var bound = new CompletableFuture<Boolean>();
        var received = new CompletableFuture<Boolean>();
        to.network()
                .threads("receiver")
                .newThread(() -> receive(bound, received))
                .start();
        bound.get(5, TimeUnit.SECONDS);
        from.network().call(() -> {
            try (DatagramSocket socket = new DatagramSocket()) {
                byte[] text = "hello".getBytes(StandardCharsets.US_ASCII);
                for (int i = 0; i < 3; i++) {
                    socket.send(new DatagramPacket(text, text.length, InetAddress.ofLiteral(address), PORT));
                }
                return true;
            }
        });
        return received.get(5, TimeUnit.SECONDS);
    }

    /// Makes two hosts know each other's hardware address.
    static void acquaint(LabHost one, LabHost other) throws Exception {
        if (!arrives(one, other, other.plan().address())
                || !arrives(other, one, one.plan().address())) {
            throw new IllegalStateException(one.name() + " and " + other.name() + " do not reach each other");
        }
    }

    /// Whether a TCP connection comes about within a second.
    static boolean connects(LabHost from, String address, int port) throws Exception {
        return from.network().call(() -> {
            try (Socket socket = new Socket()) {
                socket.connect(new InetSocketAddress(InetAddress.ofLiteral(address), port), 1000);
                return true;
            } catch (IOException refused) {
                return false;
            }
        });
    }

    private static void receive(CompletableFuture<Boolean> bound, CompletableFuture<Boolean> received) {
        try (DatagramSocket socket = new DatagramSocket(PORT)) {
            socket.setSoTimeout(700);
            bound.complete(true);
            socket.receive(new DatagramPacket(new byte[10], 10));
            received.complete(true);
        } catch (SocketTimeoutException nothing) {
            received.complete(false);
        } catch (IOException e) {
            bound.completeExceptionally(e);
            received.completeExceptionally(e);
        }
    }
}
