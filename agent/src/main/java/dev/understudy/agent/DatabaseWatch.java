package dev.understudy.agent;

import dev.understudy.agent.act.DatabaseControl;
import dev.understudy.agent.probe.ObservationSink;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// One database server: its control, and what it is seen to be, again and again.
final class DatabaseWatch implements AutoCloseable {

    private final @Nullable DatabaseControl control;
    private final @Nullable Repeated looking;

    /// @param given empty when agent.yml has no access to it: then it is neither seen nor touched
    DatabaseWatch(String group, Optional<DatabaseControl> given, Duration interval, ObservationSink sink) {
        DatabaseControl database = given.orElse(null);
        control = database;
        looking = database == null
                ? null
                : new Repeated("database " + group, interval, () -> sink.publish(database.observe()));
    }

    Optional<DatabaseControl> control() {
        return Optional.ofNullable(control);
    }

    @Override
    public void close() {
        if (looking != null) {
            looking.close();
        }
        if (control != null) {
            control.close();
        }
    }
}
