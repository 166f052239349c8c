package dev.understudy.protocol;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// One fact that an agent saw on its own host. An observation replaces the earlier one with the same [#key()].
/// Agents send those that changed; after a (re)connection all of them.
public sealed interface Observation {

    /// Identifies the subject of this observation within its host, such as `database/shopdb`.
    String key();

    /// Host basics, read from /proc.
    ///
    /// @param bootId the kernel's boot id; a change means that the host was restarted
    /// @param load1 one-minute load average
    /// @param memoryAvailableBytes MemAvailable
    /// @param diskFreeBytes free bytes of the agent's state folder
    record HostBasics(String bootId, double load1, long memoryAvailableBytes, long diskFreeBytes)
            implements Observation {
        @Override
        public String key() {
            return "host";
        }
    }

    /// HAProxy on this host.
    ///
    /// @param health whether a worker answers the runtime socket
    /// @param configHash SHA-256 of the configuration file in hex, empty if unreadable
    /// @param servers every server of every backend, in the order of `show stat`
    record Balancer(
            String group,
            ServiceState service,
            Health health,
            long pid,
            String configHash,
            List<ServerState> servers,
            String detail)
            implements Observation {
        public Balancer {
            servers = List.copyOf(servers);
        }

        @Override
        public String key() {
            return "balancer/" + group;
        }
    }

    /// A server line of HAProxy's `show stat`. `status` is HAProxy's own word: UP, DOWN, MAINT, DRAIN, "no check" ….
    record ServerState(String backend, String server, String status) {}

    /// The web service on this host, by its configured check.
    record Web(String group, Health health, int httpStatus, String detail) implements Observation {
        @Override
        public String key() {
            return "web/" + group;
        }
    }

    /// A virtual address on this host's interfaces.
    ///
    /// @param present the address is configured on the interface now
    /// @param carrier the interface has a carrier
    /// @param enforced the kernel enforces the lease (nftables gate proven at start); otherwise `detail` says why
    /// not
    record Address(ResourceId resource, boolean present, boolean carrier, boolean enforced, String detail)
            implements Observation {
        @Override
        public String key() {
            return "address/" + resource;
        }
    }

    /// The database server on this host. Positions are GTID lists as the server prints them; empty when there are
    /// none or the server did not answer.
    ///
    /// @param serverStart identifies this run of the server: its start time and process id
    /// @param readOnly null while it is not known
    /// @param binlogPosition last GTID per domain in the own binary log (MariaDB: gtid_binlog_pos)
    /// @param appliedPosition last applied from a primary (MariaDB: gtid_slave_pos)
    /// @param semiSyncPrimary semi-sync is enabled for the primary role
    /// @param semiSyncReplica semi-sync is enabled for the replica role
    /// @param semiSyncClients replicas that are connected semi-synchronously (no sign of their life: FACTS)
    /// @param replica the state of replication from a primary, null if none is configured
    record Database(
            String group,
            ServiceState service,
            Health health,
            String version,
            long serverId,
            String serverStart,
            @Nullable Boolean readOnly,
            String binlogPosition,
            String appliedPosition,
            boolean semiSyncPrimary,
            boolean semiSyncReplica,
            int semiSyncClients,
            @Nullable Replica replica,
            String detail)
            implements Observation {
        @Override
        public String key() {
            return "database/" + group;
        }
    }

    /// Replication as a replica sees it.
    ///
    /// @param source address of the primary that it is configured to follow
    /// @param receiver Yes, No, Connecting or Preparing, as the server says
    /// @param applier Yes or No
    /// @param receivedPosition last GTID received (MariaDB: Gtid_IO_Pos)
    /// @param secondsBehind the server's own estimate, -1 if it has none
    record Replica(
            String source,
            String receiver,
            String applier,
            String receivedPosition,
            long secondsBehind,
            int receiverErrno,
            int applierErrno,
            String error) {}
}
