package dev.understudy.agent.act.service;

import dev.understudy.agent.act.ServiceControl;
import dev.understudy.agent.sys.PidWatch;
import dev.understudy.protocol.Outcome;
import dev.understudy.protocol.ServiceState;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A service by fixed commands and a pid file, where no systemd runs.
///
/// **STOPPED or ENDED.** A process that ended was stopped cleanly when one of these is so at that moment, otherwise it
/// ended by itself:
///
/// 1. a stop was asked for through this object;
/// 2. the stop marker exists: the pid file's path with `.stopped` behind it, which whoever stops the service by other
///    means makes first (HAProxy leaves its pid file on a clean stop too, so it needs the marker: seen with 2.6);
/// 3. the pid file is gone, which is how mariadbd ends; a SIGKILL or a crash leaves it.
///
/// The marker is removed when a process is found running again. While nothing runs, the pid file is looked at every
/// [#LOOK]; a living process is watched by pidfd.
public final class CommandService implements ServiceControl {

    private static final Logger LOG = LoggerFactory.getLogger(CommandService.class);
    private static final Duration LOOK = Duration.ofMillis(100);

    private final Definition definition;
    private final ServiceListeners listeners = new ServiceListeners();
    private final Thread looking;
    private @Nullable PidWatch watching;
    private volatile boolean stopAsked;
    private volatile boolean closed;

    /// @param name for logs
    /// @param start command and arguments; it may stay in the foreground or go to the background by itself
    /// @param stop command and arguments; returns when it likes, `timeout` is how long the process may take to end.
    ///     Empty: SIGTERM to the process of the pid file
    /// @param pidFile written by the service with its main process's id
    /// @param log output of both commands is appended to it
    /// @param timeout for start and for stop
    public record Definition(
            String name, List<String> start, List<String> stop, Path pidFile, Path log, Duration timeout) {
        public Definition {
            start = List.copyOf(start);
            stop = List.copyOf(stop);
            if (start.isEmpty()) {
                throw new IllegalArgumentException("service " + name + " has no start command");
            }
        }

        /// Made by whoever stops the service cleanly by other means.
        public Path stopMarker() {
            return pidFile.resolveSibling(pidFile.getFileName() + ".stopped");
        }
    }

    /// Watching begins at once.
    public CommandService(Definition definition) {
        this.definition = definition;
        look();
        looking = Thread.ofVirtual().name("service-" + definition.name()).start(this::keepLooking);
    }

    @Override
    public Outcome start() {
        if (mainPid() != 0) {
            return Outcome.Done.withoutFacts();
        }
        try {
            stopAsked = false;
            Process process = Commands.detached(definition.start(), definition.log());
            boolean returned = Commands.await(() -> !process.isAlive() || mainPid() != 0, definition.timeout());
            if (!process.isAlive() && process.exitValue() != 0) {
                return new Outcome.Failed("start of " + definition.name() + " exited with " + process.exitValue()
                        + ", see " + definition.log());
            }
            look();
            return returned
                    ? Outcome.Done.withoutFacts()
                    : new Outcome.Unknown("start of " + definition.name() + " has not returned and no process shows");
        } catch (IOException e) {
            return new Outcome.Failed("start of " + definition.name() + ": " + e.getMessage());
        }
    }

    @Override
    public Outcome stop() {
        long pid = mainPid();
        if (pid == 0) {
            return Outcome.Done.withoutFacts();
        }
        stopAsked = true;
        try {
            if (definition.stop().isEmpty()) {
                ProcessHandle.of(pid).ifPresent(ProcessHandle::destroy);
            } else {
                Process process = Commands.detached(definition.stop(), definition.log());
                Commands.await(() -> !process.isAlive(), definition.timeout());
                if (!process.isAlive() && process.exitValue() != 0 && PidWatch.alive(pid)) {
                    stopAsked = false;
                    return new Outcome.Failed("stop of " + definition.name() + " exited with " + process.exitValue());
                }
            }
        } catch (IOException e) {
            stopAsked = false;
            return new Outcome.Failed("stop of " + definition.name() + ": " + e.getMessage());
        }
        return Commands.await(() -> !PidWatch.alive(pid), definition.timeout())
                ? Outcome.Done.withoutFacts()
                : new Outcome.Unknown("process " + pid + " of " + definition.name() + " has not ended yet");
    }

    @Override
    public Outcome kill() {
        return Commands.kill(mainPid(), definition.timeout());
    }

    @Override
    public ServiceState state() {
        return listeners.state();
    }

    @Override
    public long mainPid() {
        try {
            String text = Files.readString(definition.pidFile()).strip();
            long pid =
                    text.isEmpty() ? 0 : Long.parseLong(text.lines().findFirst().orElse("0"));
            return PidWatch.alive(pid) ? pid : 0;
        } catch (IOException | NumberFormatException e) {
            return 0; // no pid file, or it is being written
        }
    }

    @Override
    public void watch(Consumer<ServiceState> listener) {
        listeners.add(listener);
    }

    @Override
    public void close() {
        closed = true;
        looking.interrupt();
        synchronized (this) {
            if (watching != null) {
                watching.close();
            }
        }
    }

    private void keepLooking() {
        while (!closed) {
            try {
                Thread.sleep(LOOK);
            } catch (InterruptedException e) {
                return;
            }
            look();
        }
    }

    /// Begins to watch a process that is not watched yet. At the first look, nothing running means that it was
    /// stopped or ended before, by the same rules.
    private synchronized void look() {
        if (closed || watching != null) {
            return;
        }
        long pid = mainPid();
        if (pid == 0) {
            if (listeners.state() == ServiceState.UNKNOWN) {
                listeners.tell(endState());
            }
            return;
        }
        stopAsked = false;
        removeMarker();
        watching = PidWatch.start(pid, () -> ended(pid));
        LOG.info("event=service-running service={} pid={}", definition.name(), pid);
        listeners.tell(ServiceState.RUNNING);
    }

    private void removeMarker() {
        try {
            Files.deleteIfExists(definition.stopMarker());
        } catch (IOException e) {
            LOG.warn("event=stop-marker-stays service={} reason=\"{}\"", definition.name(), e.getMessage());
        }
    }

    /// On the watching thread.
    private void ended(long pid) {
        ServiceState state = endState();
        LOG.info("event=service-ended service={} pid={} state={}", definition.name(), pid, state);
        listeners.tell(state);
        synchronized (this) {
            watching = null;
        }
        look(); // a successor may be there already
    }

    private ServiceState endState() {
        boolean clean = stopAsked || Files.exists(definition.stopMarker()) || Files.notExists(definition.pidFile());
        return clean ? ServiceState.STOPPED : ServiceState.ENDED;
    }
}
