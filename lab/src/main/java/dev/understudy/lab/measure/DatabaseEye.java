package dev.understudy.lab.measure;

import dev.understudy.lab.site.LabHost;
import dev.understudy.lab.site.Topology;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/// Looks at one database from inside its host, over loopback, so that no cut hides it: every 10 ms whether it is
/// open to writes, and on demand how a commit would be acknowledged. A server that does not answer acknowledges
/// nothing.
final class DatabaseEye implements AutoCloseable {

    private static final String URL = "jdbc:mariadb://127.0.0.1:" + Topology.DATABASE_PORT
            + "/?user=watch&password=lab-watch&sslMode=disable&connectTimeout=200&socketTimeout=300";

    private final LabHost host;
    private final ScheduledExecutorService inside;
    private @Nullable Connection connection;
    private volatile boolean writable;
    private volatile String broken = "";

    DatabaseEye(LabHost host, long intervalMillis) {
        this.host = host;
        this.inside = Executors.newSingleThreadScheduledExecutor(host.network().threads("eye-" + host.name()));
        var _ = inside.scheduleWithFixedDelay(this::look, 0, intervalMillis, TimeUnit.MILLISECONDS);
    }

    /// How a commit on this server would be acknowledged, and whose events it receives.
    ///
    /// @param writable `read_only` is off
    /// @param alone a commit waits for nobody: semi-sync is off, or has given up waiting
    /// @param receivesFrom the address of the server whose events this one's receiver takes, empty if none
    record Close(boolean writable, boolean alone, String receivesFrom) {

        static final Close SILENT = new Close(false, false, "");
    }

    LabHost host() {
        return host;
    }

    /// What the last look saw.
    ///
    /// @throws IllegalStateException when this eye itself is broken: it must not be taken for a closed database
    boolean writable() {
        if (!broken.isEmpty()) {
            throw new IllegalStateException(broken);
        }
        return writable;
    }

    /// A fresh close look; [Close#SILENT] when the server does not answer within its time.
    Close closeLook() {
        try {
            return inside.submit(this::see).get(2, TimeUnit.SECONDS);
        } catch (ExecutionException | TimeoutException e) {
            return Close.SILENT;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Close.SILENT;
        }
    }

    @Override
    public void close() {
        inside.shutdownNow();
    }

    private void look() {
        try (Statement statement = statement();
                ResultSet row = statement.executeQuery("SELECT @@global.read_only")) {
            writable = row.next() && row.getInt(1) == 0;
        } catch (SQLException e) {
            lost();
        } catch (RuntimeException e) {
            broken = host.name() + ": " + e;
        }
    }

    private Close see() {
        try (Statement statement = statement()) {
            boolean open;
            boolean semiSync;
            try (ResultSet row =
                    statement.executeQuery("SELECT @@global.read_only, @@global.rpl_semi_sync_master_enabled")) {
                row.next();
                open = row.getInt(1) == 0;
                semiSync = row.getInt(2) != 0;
            }
            if (semiSync) {
                try (ResultSet row = statement.executeQuery("SHOW GLOBAL STATUS LIKE 'Rpl_semi_sync_master_status'")) {
                    semiSync = row.next() && row.getString(2).equals("ON");
                }
            }
            String source = "";
            try (ResultSet row = statement.executeQuery("SHOW SLAVE STATUS")) {
                if (row.next() && row.getString("Slave_IO_Running").equals("Yes")) {
                    source = row.getString("Master_Host");
                }
            }
            return new Close(open, !semiSync, source);
        } catch (SQLException e) {
            lost();
            return Close.SILENT;
        }
    }

    private Statement statement() throws SQLException {
        if (connection == null) {
            connection = DriverManager.getConnection(URL);
        }
        return connection.createStatement();
    }

    private void lost() {
        writable = false;
        if (connection != null) {
            try {
                connection.abort(Runnable::run);
            } catch (SQLException e) {
                // it is gone
            }
            connection = null;
        }
    }
}
