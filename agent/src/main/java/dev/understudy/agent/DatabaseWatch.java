package dev.understudy.agent;

import dev.understudy.agent.act.DatabaseControl;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// One database server: its control, and what it is seen to be, again and again.
final class DatabaseWatch implements AutoCloseable {

    private final @Nullable DatabaseControl control;
    private final @Nullable Repeated looking;
    private final @Nullable Repeated beating;

    /// @param given empty when agent.yml has no access to it: then it is neither seen nor touched
    /// @param look looks at the server and publishes what it saw
    /// @param beat keeps the heartbeat row; may wait long, on a thread of its own
    DatabaseWatch(
            String group,
            Optional<DatabaseControl> given,
            Duration interval,
            Consumer<DatabaseControl> look,
            Consumer<DatabaseControl> beat) {
        DatabaseControl database = given.orElse(null);
        control = database;
        looking = database == null ? null : new Repeated("database " + group, interval, () -> look.accept(database));
        beating = database == null ? null : new Repeated("heartbeat " + group, interval, () -> beat.accept(database));
    }

    Optional<DatabaseControl> control() {
        return Optional.ofNullable(control);
    }

    @Override
    public void close() {
        if (looking != null) {
            looking.close();
        }
        if (beating != null) {
            beating.close();
        }
        if (control != null) {
            control.close();
        }
    }
}
