package dev.understudy.agent.database;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// How the agent reaches the server on its own host, from the agent's own file.
///
/// @param socket the server's unix socket
/// @param user the agent's account, `root` where the server authenticates by the socket's peer
/// @param passwordFile file with that account's password; null: none (authenticated by the socket)
/// @param replicationUser the account with which this server follows a primary
/// @param replicationPasswordFile file with its password
/// @param copies folder for relay log files that were copied aside before they could be purged (S18)
/// @param diverged folder for what was decoded of transactions that only this server has (S17)
public record DatabaseLocal(
        Path socket,
        String user,
        @Nullable Path passwordFile,
        String replicationUser,
        Path replicationPasswordFile,
        Path copies,
        Path diverged) {

    /// The agent's password, empty if it has none.
    String password() throws IOException {
        return passwordFile == null ? "" : Files.readString(passwordFile).strip();
    }

    String replicationPassword() throws IOException {
        return Files.readString(replicationPasswordFile).strip();
    }

    /// A file of the agent's own beside that folder.
    Path besideCopies(String name) {
        return copies.toAbsolutePath().resolveSibling(name);
    }
}
