package dev.understudy.controller;

import dev.understudy.controller.Controller.RefusedException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/// What one controller has for itself: its state folder, by a lock that the kernel drops with the process, and its
/// ports. Looked at before anything is opened, so that a second controller is told in one line and changes nothing.
final class Exclusive implements AutoCloseable {

    private final FileChannel lock;

    private Exclusive(FileChannel lock) {
        this.lock = lock;
    }

    /// @throws RefusedException if another process has the folder or a port
    /// @throws IOException if the folder cannot be made or written
    static Exclusive claim(Controller.Settings settings) throws RefusedException, IOException {
        free(settings.listenHost(), settings.listenPort());
        free("127.0.0.1", settings.raftPort());
        Path folder = Files.createDirectories(settings.state());
        FileChannel channel =
                FileChannel.open(folder.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        if (tryLock(channel) == null) {
            channel.close();
            throw new RefusedException("another controller runs on " + folder);
        }
        return new Exclusive(channel);
    }

    private static @Nullable FileLock tryLock(FileChannel channel) throws IOException {
        try {
            return channel.tryLock();
        } catch (OverlappingFileLockException _) {
            return null;
        }
    }

    private static void free(String host, int port) throws RefusedException {
        InetSocketAddress address = new InetSocketAddress(host, port);
        if (address.isUnresolved()) {
            throw new RefusedException("'" + host + "' is not an address to listen on");
        }
        try (ServerSocket probe = new ServerSocket()) {
            probe.setReuseAddress(true);
            probe.bind(address);
        } catch (IOException e) {
            throw new RefusedException(host + ":" + port + " cannot be used: " + e.getMessage());
        }
    }

    @Override
    public void close() throws IOException {
        lock.close();
    }
}
