package dev.understudy.lab.site;

import dev.understudy.lab.kernel.NetworkNamespace;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/// The one door into the lab: a port on the machine's own loopback whose connections go to the controller's loopback
/// inside its host. No address of the lab exists outside its namespaces.
final class PageDoor implements AutoCloseable {

    private final ServerSocketChannel door;
    private final ExecutorService inside;
    private final ExecutorService pumps = Executors.newVirtualThreadPerTaskExecutor();
    private final int port;

    /// @param wanted the port to listen on; the next free ones are tried when it is taken
    PageDoor(NetworkNamespace namespace, int wanted, int target) throws IOException {
        inside = Executors.newSingleThreadExecutor(namespace.threads("page-door"));
        door = ServerSocketChannel.open();
        port = bind(wanted);
        pumps.execute(() -> accept(target));
    }

    int port() {
        return port;
    }

    @Override
    public void close() {
        try {
            door.close();
        } catch (IOException e) {
            // it is closed
        }
        inside.shutdownNow();
        pumps.shutdownNow();
    }

    private int bind(int wanted) throws IOException {
        for (int candidate = wanted; candidate < wanted + 50; candidate++) {
            try {
                door.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), candidate));
                return candidate;
            } catch (IOException taken) {
                // the next one
            }
        }
        throw new IOException("no port from " + wanted + " on is free on the loopback");
    }

    private void accept(int target) {
        while (door.isOpen()) {
            try {
                SocketChannel outer = door.accept();
                pumps.execute(() -> connect(outer, target));
            } catch (IOException closed) {
                return;
            }
        }
    }

    private void connect(SocketChannel outer, int target) {
        try (outer;
                SocketChannel inner = inside.submit(() ->
                                SocketChannel.open(new InetSocketAddress(InetAddress.getLoopbackAddress(), target)))
                        .get()) {
            var back = pumps.submit(() -> pump(inner, outer));
            pump(outer, inner);
            back.get();
        } catch (IOException | ExecutionException e) {
            // the controller does not answer, or a side went away: the connection is closed
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void pump(SocketChannel from, SocketChannel to) {
        ByteBuffer buffer = ByteBuffer.allocate(16_384);
        try {
            while (from.read(buffer) >= 0) {
                buffer.flip();
                while (buffer.hasRemaining()) {
                    to.write(buffer);
                }
                buffer.clear();
            }
            to.shutdownOutput();
        } catch (IOException gone) {
            closeQuietly(to);
        }
    }

    private static void closeQuietly(SocketChannel channel) {
        try {
            channel.close();
        } catch (IOException e) {
            // it is closed
        }
    }
}
