package dev.understudy.agent.database;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Path;
import java.util.Properties;
import org.jspecify.annotations.Nullable;
import org.mariadb.jdbc.Configuration;
import org.mariadb.jdbc.util.ConfigurableSocketFactory;

/// Lets MariaDB Connector/J use [UnixSocket] instead of its own unix socket, which needs JNA. The driver makes one
/// by its name; the path comes in the connection property [#PATH].
public final class UnixSocketFactory extends ConfigurableSocketFactory {

    static final String PATH = "understudyUnixSocket";

    private @Nullable Path path;

    @Override
    public void setConfiguration(Configuration configuration, String host) {
        Properties others = configuration.nonMappedOptions();
        path = Path.of(others.getProperty(PATH));
    }

    @Override
    public Socket createSocket() throws IOException {
        Path target = path;
        if (target == null) {
            throw new IOException("the unix socket's path is not set");
        }
        return new UnixSocket(target);
    }

    @Override
    public Socket createSocket(String host, int port) throws IOException {
        return createSocket();
    }

    @Override
    public Socket createSocket(String host, int port, InetAddress localHost, int localPort) throws IOException {
        return createSocket();
    }

    @Override
    public Socket createSocket(InetAddress host, int port) throws IOException {
        return createSocket();
    }

    @Override
    public Socket createSocket(InetAddress address, int port, InetAddress localAddress, int localPort)
            throws IOException {
        return createSocket();
    }
}
