package dev.understudy.lab.measure;

import dev.understudy.lab.measure.Timeline.Attempt;
import dev.understudy.lab.site.LabHost;
import dev.understudy.lab.site.Topology;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;

/// An application that reads through an address, a connection for each read, and remembers which server answered.
public final class Reads implements AutoCloseable {

    private static final Duration PACE = Duration.ofMillis(50);
    private static final int LIMIT_MILLIS = 1000;

    private final Timeline timeline = new Timeline();
    private final String url;
    private final Thread thread;
    private volatile boolean stopped;
    private volatile long server;

    private Reads(LabHost host, String address) {
        url = "jdbc:mariadb://" + address + ":" + Topology.DATABASE_PORT
                + "/shop?user=app&password=lab-app&sslMode=disable&connectTimeout=" + LIMIT_MILLIS + "&socketTimeout="
                + LIMIT_MILLIS;
        thread = host.network().threads("reads").newThread(this::run);
    }

    /// Reads from inside the host through the address.
    public static Reads start(LabHost host, String address) {
        Reads reads = new Reads(host, address);
        reads.thread.start();
        return reads;
    }

    public Timeline timeline() {
        return timeline;
    }

    /// Whether the server of this host gave the last answer.
    public boolean answeredBy(LabHost database) {
        return database.plan().address().endsWith("." + server);
    }

    @Override
    public void close() {
        stopped = true;
        try {
            thread.join(Duration.ofMillis(3L * LIMIT_MILLIS));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void run() {
        while (!stopped) {
            long start = System.nanoTime();
            try (Connection connection = DriverManager.getConnection(url);
                    Statement statement = connection.createStatement();
                    ResultSet row = statement.executeQuery("SELECT @@server_id, MAX(id) FROM entry")) {
                server = row.next() ? row.getLong(1) : 0;
                timeline.add(new Attempt(start, System.nanoTime(), ""));
            } catch (SQLException e) {
                timeline.add(new Attempt(start, System.nanoTime(), e.getErrorCode() + " " + e.getMessage()));
            }
            try {
                Thread.sleep(PACE);
            } catch (InterruptedException e) {
                return;
            }
        }
    }
}
