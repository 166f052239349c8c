package dev.understudy.lab.measure;

import dev.understudy.lab.measure.Timeline.Attempt;
import dev.understudy.lab.site.Databases;
import dev.understudy.lab.site.LabHost;
import dev.understudy.lab.site.Topology;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// An application that inserts increasing numbers, one transaction each, through an address, and remembers each one
/// that the database acknowledged. What was not acknowledged may or may not be there; the next try takes a new
/// number.
public final class Writer implements AutoCloseable {

    private static final Duration PACE = Duration.ofMillis(5);
    private static final Duration RECONNECT = Duration.ofMillis(10);
    private static final Duration GIVES_UP = Duration.ofMillis(600);
    /// Far enough apart that no writer ever reaches the numbers of the next.
    private static final long NUMBERS = 1_000_000;

    private static final AtomicLong FIRST = new AtomicLong();

    private final Timeline timeline = new Timeline();
    private final List<Long> acknowledged = new ArrayList<>();
    private final String url;
    private final Duration pace;
    private final Thread thread;
    private volatile boolean stopped;
    private volatile @Nullable Connection connection;
    private long next = FIRST.updateAndGet(before -> Math.max(System.currentTimeMillis() * 1000, before + NUMBERS));

    private Writer(LabHost host, String address, Duration patience, Duration pace) {
        this.pace = pace;
        url = "jdbc:mariadb://" + address + ":" + Topology.DATABASE_PORT
                + "/shop?user=app&password=lab-app&sslMode=disable&connectTimeout=200&socketTimeout="
                + patience.toMillis();
        thread = host.network().threads("writer").newThread(this::run);
    }

    /// Writes from inside the host to the address.
    public static Writer start(LabHost host, String address) {
        return start(host, address, GIVES_UP);
    }

    /// Writes at a pace of its own: what many writers write at full speed a replica that was away never gets back.
    ///
    /// @param pace between an acknowledgement and the next row
    public static Writer startAt(LabHost host, String address, Duration pace) {
        Writer writer = new Writer(host, address, GIVES_UP, pace);
        writer.thread.start();
        return writer;
    }

    /// @param patience how long it waits for an acknowledgement before it gives the connection up
    public static Writer start(LabHost host, String address, Duration patience) {
        Writer writer = new Writer(host, address, patience, PACE);
        writer.thread.start();
        return writer;
    }

    public Timeline timeline() {
        return timeline;
    }

    public int acknowledgedCount() {
        synchronized (acknowledged) {
            return acknowledged.size();
        }
    }

    /// The numbers that were acknowledged so far.
    public Set<Long> acknowledged() {
        synchronized (acknowledged) {
            return new TreeSet<>(acknowledged);
        }
    }

    /// The acknowledged numbers that the database of this host does not have now.
    public Set<Long> missingOn(LabHost database) {
        return missing(acknowledged(), database);
    }

    /// Those of the numbers that the database of this host does not have.
    public static Set<Long> missing(Set<Long> numbers, LabHost database) {
        if (numbers.isEmpty()) {
            return numbers;
        }
        Set<Long> missing = new TreeSet<>(numbers);
        String rows = Databases.sql(
                database,
                "SELECT id FROM shop.entry WHERE id >= " + Collections.min(numbers) + " AND id <= "
                        + Collections.max(numbers));
        missing.removeAll(rows.lines().map(Long::valueOf).collect(Collectors.toSet()));
        return missing;
    }

    @Override
    public void close() {
        stopped = true;
        try {
            if (!thread.join(pace.plus(PACE.multipliedBy(20)))) {
                abort(connection); // it may wait for an acknowledgement for long
            }
            thread.join(Duration.ofSeconds(3));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void run() {
        while (!stopped) {
            long start = System.nanoTime();
            try {
                Connection current = connection;
                if (current == null) {
                    current = DriverManager.getConnection(url);
                    connection = current;
                }
                insert(current);
                timeline.add(new Attempt(start, System.nanoTime(), ""));
                pause(pace);
            } catch (SQLException e) {
                timeline.add(new Attempt(start, System.nanoTime(), e.getErrorCode() + " " + e.getMessage()));
                abort(connection);
                connection = null;
                pause(RECONNECT);
            }
        }
        abort(connection);
    }

    private void insert(Connection connection) throws SQLException {
        long id = next++;
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO entry (id) VALUES (?)")) {
            insert.setLong(1, id);
            insert.executeUpdate();
        }
        synchronized (acknowledged) {
            acknowledged.add(id);
        }
    }

    private static void abort(@Nullable Connection connection) {
        if (connection == null) {
            return;
        }
        try {
            connection.abort(Runnable::run);
        } catch (SQLException e) {
            // it is gone
        }
    }

    private static void pause(Duration duration) {
        try {
            Thread.sleep(duration);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
