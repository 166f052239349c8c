package dev.understudy.agent.act.service;

import dev.understudy.agent.act.ServiceControl;
import dev.understudy.agent.sys.PidWatch;
import dev.understudy.protocol.Outcome;
import dev.understudy.protocol.ServiceState;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A service that systemd runs. Its main process is watched by pidfd, so its end is known at once; `systemctl show`
/// is asked only then, and every [#LOOK] while no process runs.
///
/// **STOPPED or ENDED.** systemd is asked right after the end, until it has noticed too: STOPPED when a stop job runs
/// (`ActiveState=deactivating` while the result is good) or the unit is inactive with `Result=success`; everything
/// else (`signal`, `core-dump`, `exit-code`, `oom-kill`, a restart by systemd itself) is ENDED.
public final class SystemdService implements ServiceControl {

    private static final Logger LOG = LoggerFactory.getLogger(SystemdService.class);
    private static final Duration LOOK = Duration.ofMillis(500);
    private static final Duration SHOW_TIMEOUT = Duration.ofSeconds(2);
    /// How long systemd may take to notice an end; after that it counts as ENDED.
    private static final Duration NOTICE = Duration.ofMillis(100);

    private final String unit;
    private final Duration timeout;
    private final ServiceListeners listeners = new ServiceListeners();
    private final Thread looking;
    private @Nullable PidWatch watching;
    private volatile boolean closed;

    /// @param unit such as `haproxy.service`
    /// @param timeout for start, stop and kill
    public SystemdService(String unit, Duration timeout) {
        this.unit = unit;
        this.timeout = timeout;
        look();
        looking = Thread.ofVirtual().name("service-" + unit).start(this::keepLooking);
    }

    @Override
    public Outcome start() {
        Outcome outcome = systemctl("start", unit);
        look();
        return outcome;
    }

    @Override
    public Outcome stop() {
        return systemctl("stop", unit);
    }

    @Override
    public Outcome kill() {
        long pid = mainPid();
        if (pid == 0) {
            return Outcome.Done.withoutFacts();
        }
        Outcome outcome = systemctl("kill", "--signal=SIGKILL", "--kill-who=main", unit);
        return switch (outcome) {
            case Outcome.Done _ ->
                Commands.await(() -> !PidWatch.alive(pid), timeout)
                        ? outcome
                        : new Outcome.Unknown("process " + pid + " of " + unit + " was killed but has not ended");
            case Outcome.Refused _, Outcome.Failed _, Outcome.Unknown _ -> outcome;
        };
    }

    @Override
    public ServiceState state() {
        return listeners.state();
    }

    @Override
    public long mainPid() {
        return pid(show());
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

    private Outcome systemctl(String... arguments) {
        List<String> command = new ArrayList<>(List.of("systemctl"));
        command.addAll(List.of(arguments));
        try {
            Commands.Output output = Commands.run(command, timeout);
            return output.exit() == 0
                    ? Outcome.Done.withoutFacts()
                    : new Outcome.Failed(
                            String.join(" ", command) + " exited with " + output.exit() + ": " + output.text());
        } catch (IOException e) {
            return new Outcome.Failed(String.join(" ", command) + ": " + e.getMessage());
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

    private synchronized void look() {
        if (closed || watching != null) {
            return;
        }
        Map<String, String> shown = show();
        long pid = pid(shown);
        if (pid != 0) {
            watching = PidWatch.start(pid, () -> ended(pid));
            LOG.info("event=service-running service={} pid={}", unit, pid);
            listeners.tell(ServiceState.RUNNING);
        } else if (listeners.state() == ServiceState.UNKNOWN && !shown.isEmpty()) {
            listeners.tell(endState(shown));
        }
    }

    private void ended(long pid) {
        long end = System.nanoTime() + NOTICE.toNanos();
        Map<String, String> shown = show();
        while (!noticed(shown, pid) && System.nanoTime() < end) {
            shown = show();
        }
        ServiceState state = noticed(shown, pid) ? endState(shown) : ServiceState.ENDED;
        LOG.info("event=service-ended service={} pid={} state={}", unit, pid, state);
        listeners.tell(state);
        synchronized (this) {
            watching = null;
        }
        look();
    }

    /// Whether systemd's answer is newer than the process's end.
    private static boolean noticed(Map<String, String> shown, long pid) {
        String active = shown.getOrDefault("ActiveState", "");
        return !active.isEmpty()
                && (!active.equals("active")
                        || !shown.getOrDefault("MainPID", "0").equals(Long.toString(pid)));
    }

    private static ServiceState endState(Map<String, String> shown) {
        boolean good = shown.getOrDefault("Result", "").equals("success");
        return switch (shown.getOrDefault("ActiveState", "")) {
            case "inactive", "deactivating" -> good ? ServiceState.STOPPED : ServiceState.ENDED;
            default -> ServiceState.ENDED;
        };
    }

    private static long pid(Map<String, String> shown) {
        String text = shown.getOrDefault("MainPID", "0");
        long pid = text.chars().allMatch(Character::isDigit) && !text.isEmpty() ? Long.parseLong(text) : 0;
        return PidWatch.alive(pid) ? pid : 0;
    }

    /// Empty when systemd cannot be asked.
    private Map<String, String> show() {
        try {
            Commands.Output output = Commands.run(
                    List.of("systemctl", "show", "--property=MainPID,ActiveState,SubState,Result", unit), SHOW_TIMEOUT);
            Map<String, String> properties = new HashMap<>();
            if (output.exit() == 0) {
                output.text().lines().forEach(line -> {
                    int equals = line.indexOf('=');
                    if (equals > 0) {
                        properties.put(line.substring(0, equals), line.substring(equals + 1));
                    }
                });
            }
            return properties;
        } catch (IOException e) {
            LOG.debug("event=systemd-unanswered service={} reason=\"{}\"", unit, e.getMessage());
            return Map.of();
        }
    }
}
