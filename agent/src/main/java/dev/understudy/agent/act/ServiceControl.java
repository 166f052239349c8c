package dev.understudy.agent.act;

import dev.understudy.protocol.Outcome;
import dev.understudy.protocol.ServiceState;
import java.util.function.Consumer;

/// The one seam through which services are started, stopped, killed and watched: `systemd` and `command` forms
/// (DESIGN section 13). One instance a service. Thread-safe.
public interface ServiceControl extends AutoCloseable {

    /// Starts the service and returns when the start command has returned (the service may not answer yet).
    Outcome start();

    /// Stops it cleanly.
    Outcome stop();

    /// SIGKILL to its main process. Returns when that process is gone.
    Outcome kill();

    ServiceState state();

    /// The main process's id, 0 if there is none.
    long mainPid();

    /// Calls the listener on each change of state, within milliseconds of a process's end (pidfd, not a poll), from
    /// a thread of this object. ENDED and STOPPED are told apart: a clean stop is not a crash.
    void watch(Consumer<ServiceState> listener);

    @Override
    void close();
}
