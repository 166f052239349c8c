package dev.understudy.agent.probe;

import dev.understudy.agent.act.ServiceControl;
import dev.understudy.protocol.Health;
import dev.understudy.protocol.Observation;
import dev.understudy.protocol.Observation.ServerState;
import dev.understudy.protocol.ServiceState;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Looks at HAProxy on this host: its main process (the master, S23), its runtime socket, its configuration file.
///
/// UP: a worker answers. DOWN: the main process has ended, or it lives but nobody has listened on the socket for
/// [#SUCCESSOR_WAIT] (a reload replaces the worker, so a short gap says nothing). UNKNOWN: it lives and does not
/// answer. A process's end is published at once, from the service's thread.
public final class HaproxyProbe implements AutoCloseable {

    static final Duration SUCCESSOR_WAIT = Duration.ofMillis(500);
    private static final Duration SUCCESSOR_LOOK = Duration.ofMillis(50);

    private final String group;
    private final Path config;
    private final RuntimeSocket socket;
    private final ServiceControl service;
    private final ObservationSink sink;
    private @Nullable ProbeLoop loop;
    private String hash = "";
    private @Nullable FileTime hashedAt;
    private long hashedSize;
    private List<ServerState> lastServers = List.of();

    /// @param group the balancer group
    /// @param timeout for one answer of the runtime socket
    public HaproxyProbe(
            String group, Path config, Path socket, ServiceControl service, ObservationSink sink, Duration timeout) {
        this.group = group;
        this.config = config;
        this.socket = new RuntimeSocket(socket, timeout);
        this.service = service;
        this.sink = sink;
    }

    /// Begins to publish: at each interval, and at once when the service's state changes.
    public synchronized void start(Duration interval) {
        if (loop != null) {
            throw new IllegalStateException("started already");
        }
        service.watch(this::serviceChanged);
        loop = new ProbeLoop("haproxy-probe-" + group, interval, () -> sink.publish(observe()));
    }

    /// One look. Blocks at most for the time-out and [#SUCCESSOR_WAIT].
    public Observation.Balancer observe() {
        ServiceState state = service.state();
        if (state == ServiceState.ENDED || state == ServiceState.STOPPED) {
            return gone(state);
        }
        long waitUntil = System.nanoTime() + SUCCESSOR_WAIT.toNanos();
        while (true) {
            try {
                return answered(state, socket.ask("show info"), socket.ask("show stat"));
            } catch (RuntimeSocket.Closed e) {
                if (System.nanoTime() > waitUntil || !pause()) {
                    return observation(service.state(), Health.DOWN, 0, List.of(), String.valueOf(e.getMessage()));
                }
            } catch (IOException | IllegalArgumentException e) {
                return observation(
                        state, Health.UNKNOWN, service.mainPid(), remembered(), String.valueOf(e.getMessage()));
            }
            state = service.state();
            if (state == ServiceState.ENDED || state == ServiceState.STOPPED) {
                return gone(state);
            }
        }
    }

    @Override
    public synchronized void close() {
        if (loop != null) {
            loop.close();
        }
    }

    private void serviceChanged(ServiceState state) {
        switch (state) {
            case ENDED, STOPPED -> sink.publishNow(gone(state));
            case RUNNING, UNKNOWN -> {
                // the next look tells whether it answers
            }
        }
    }

    private Observation.Balancer answered(ServiceState state, String info, String stat) {
        if (HaproxyStats.info(info, "Stopping").equals("1")) {
            return observation(
                    state, Health.UNKNOWN, service.mainPid(), remembered(), "a worker answers that is stopping");
        }
        List<ServerState> servers = HaproxyStats.servers(stat);
        synchronized (this) {
            lastServers = servers;
        }
        long main = service.mainPid();
        String worker = HaproxyStats.info(info, "Pid");
        long pid = main != 0 || worker.isEmpty() ? main : Long.parseLong(worker);
        return observation(state, Health.UP, pid, servers, "");
    }

    private Observation.Balancer gone(ServiceState state) {
        return observation(state, Health.DOWN, 0, List.of(), "");
    }

    private Observation.Balancer observation(
            ServiceState state, Health health, long pid, List<ServerState> servers, String detail) {
        return new Observation.Balancer(group, state, health, pid, configHash(), servers, detail);
    }

    private synchronized List<ServerState> remembered() {
        return lastServers;
    }

    /// Read again only when the file's time or size has changed.
    private synchronized String configHash() {
        try {
            FileTime changed = Files.getLastModifiedTime(config);
            long size = Files.size(config);
            if (!changed.equals(hashedAt) || size != hashedSize) {
                byte[] digest = MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(config));
                hash = HexFormat.of().formatHex(digest);
                hashedAt = changed;
                hashedSize = size;
            }
            return hash;
        } catch (IOException e) {
            hashedAt = null;
            return "";
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private static boolean pause() {
        try {
            Thread.sleep(SUCCESSOR_LOOK);
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
