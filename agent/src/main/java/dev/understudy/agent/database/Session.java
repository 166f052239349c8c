package dev.understudy.agent.database;

import java.io.IOException;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.SQLNonTransientConnectionException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import org.mariadb.jdbc.Connection;
import org.mariadb.jdbc.Driver;

/// One connection to a server. Every statement has a time-out; after one the connection is closed, as its state is
/// not known. Thread-safe: one statement after the other.
final class Session implements AutoCloseable {

    /// Kept connections must not be closed by the server for being idle.
    private static final long IDLE_SECONDS = 30L * 86_400;

    private final Connection connection;

    private Session(Connection connection) {
        this.connection = connection;
    }

    /// Connects to the server on this host through its unix socket.
    static Session local(DatabaseLocal local, Duration timeout) throws SQLException {
        Properties properties = new Properties();
        properties.setProperty("user", local.user());
        properties.setProperty("socketFactory", UnixSocketFactory.class.getName());
        properties.setProperty(
                UnixSocketFactory.PATH, local.socket().toAbsolutePath().toString());
        return open("localhost", 3306, properties, secret(local::password), timeout);
    }

    /// Connects to another member as the replication account.
    static Session remote(DatabaseLocal local, String address, int port, Duration timeout) throws SQLException {
        Properties properties = new Properties();
        properties.setProperty("user", local.replicationUser());
        return open(address, port, properties, secret(local::replicationPassword), timeout);
    }

    private interface Secret {
        String read() throws IOException;
    }

    private static String secret(Secret secret) throws SQLException {
        try {
            return secret.read();
        } catch (IOException e) {
            throw new SQLNonTransientConnectionException("the password file cannot be read: " + e, e);
        }
    }

    private static Session open(String host, int port, Properties properties, String password, Duration timeout)
            throws SQLException {
        if (!password.isEmpty()) {
            properties.setProperty("password", password);
        }
        properties.setProperty("connectTimeout", Long.toString(timeout.toMillis()));
        properties.setProperty("socketTimeout", Long.toString(timeout.toMillis()));
        properties.setProperty("sslMode", "disable");
        properties.setProperty("autocommit", "true");
        properties.setProperty("sessionVariables", "wait_timeout=" + IDLE_SECONDS);
        String bracketed = host.indexOf(':') >= 0 ? "[" + host + "]" : host;
        java.sql.Connection connection =
                new Driver().connect("jdbc:mariadb://" + bracketed + ":" + port + "/", properties);
        if (connection == null) {
            throw new SQLNonTransientConnectionException("the driver refused the address " + host);
        }
        return new Session(connection.unwrap(Connection.class));
    }

    /// The server's number for this connection.
    long id() {
        return connection.getThreadId();
    }

    boolean isOpen() {
        return !connection.isClosed();
    }

    /// The driver's own connection, for what SQL cannot say (the binary log dump).
    Connection driver() {
        return connection;
    }

    /// Rows by column label, labels without regard to case. A null value is the empty text.
    synchronized List<Map<String, String>> query(String sql, Duration timeout) throws SQLException {
        try (Statement statement = prepare(timeout);
                ResultSet rows = statement.executeQuery(sql)) {
            ResultSetMetaData columns = rows.getMetaData();
            List<Map<String, String>> result = new ArrayList<>();
            while (rows.next()) {
                Map<String, String> row = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
                for (int i = 1; i <= columns.getColumnCount(); i++) {
                    String value = rows.getString(i);
                    row.put(columns.getColumnLabel(i), value == null ? "" : value);
                }
                result.add(row);
            }
            return result;
        } catch (SQLException e) {
            closeIfBroken(e);
            throw e;
        }
    }

    synchronized void run(String sql, Duration timeout) throws SQLException {
        try (Statement statement = prepare(timeout)) {
            statement.execute(sql);
        } catch (SQLException e) {
            closeIfBroken(e);
            throw e;
        }
    }

    /// How many rows it changed.
    synchronized long update(String sql, Duration timeout) throws SQLException {
        try (Statement statement = prepare(timeout)) {
            return statement.executeLargeUpdate(sql);
        } catch (SQLException e) {
            closeIfBroken(e);
            throw e;
        }
    }

    private Statement prepare(Duration timeout) throws SQLException {
        connection.setNetworkTimeout(Runnable::run, Math.toIntExact(Math.max(1, timeout.toMillis())));
        return connection.createStatement();
    }

    private void closeIfBroken(SQLException e) {
        if (e instanceof SQLNonTransientConnectionException
                || (e.getSQLState() != null && e.getSQLState().startsWith("08"))) {
            close();
        }
    }

    @Override
    public void close() {
        try {
            connection.abort(Runnable::run);
        } catch (SQLException e) {
            // it is closed already: there is nothing to do with what is gone
            return;
        }
    }
}
