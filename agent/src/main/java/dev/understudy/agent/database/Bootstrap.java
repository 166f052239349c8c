package dev.understudy.agent.database;

import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What a server without data needs before it can be a member of a database group. As the administrator, on the
/// server's
/// own host. Nothing of it goes into the binary log: each server is prepared by itself, and all begin with the same
/// empty
/// history.
sealed interface Bootstrap permits MariaDbBootstrap {

    /// The accounts that Understudy uses.
    ///
    /// @param agent the agent's own, at localhost; `root` is taken as it is
    /// @param agentPassword null: it is authenticated by the socket
    /// @param replication with which the others follow this server
    /// @param from the hosts that may do so, as the server writes them: `%` or `10.0.0.%`
    record Accounts(
            String agent, @Nullable String agentPassword, String replication, String replicationPassword, String from) {

        boolean makesAgent() {
            return !agent.equals("root");
        }
    }

    /// Why its history is not to be begun anew: it has data, replicates, or is replicated from; empty for a server
    /// without.
    List<String> inUse(Session session, Duration timeout) throws SQLException;

    /// What is still missing, in words; empty when there is nothing to do.
    List<String> missing(Session session, Accounts accounts, Duration timeout) throws SQLException;

    /// Accounts other than these and the server's own. They exist on this server only, unless somebody has made them
    /// everywhere.
    List<String> others(Session session, Accounts accounts, Duration timeout) throws SQLException;

    /// What has to be run by hand on a server that is in use, without the passwords.
    List<String> statements(Accounts accounts);

    /// Makes the accounts with the rights that they need and no more, and the schema of the heartbeat rows.
    void makeAccounts(Session session, Accounts accounts, Duration timeout) throws SQLException;

    /// Read-only from now on, with an empty history. Only for a server that is not in use.
    void beginHistory(Session session, Duration timeout) throws SQLException;
}
