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

    /// Whether this host has been detached from the resource: it was left as it was, and takes part in nothing.
    record Attachment(ResourceId resource, boolean detached) implements Observation {
        @Override
        public String key() {
            return "attachment/" + resource;
        }
    }

    /// What another host looks like from here, over the network of the agents.
    ///
    /// @param reach ANSWERS: its agent answers; REFUSES: its kernel does, its agent does not
    record Peer(String host, Reach reach, String detail) implements Observation {
        @Override
        public String key() {
            return "peer/" + host;
        }
    }

    /// Whether a resource works as clients see it: over the wire, through its virtual address, never over loopback.
    record Path(ResourceId resource, Reach reach, String detail) implements Observation {
        @Override
        public String key() {
            return "path/" + resource;
        }
    }

    /// The gateway of a virtual address, asked by ARP or neighbour solicitation from this host's interface: whether
    /// this host reaches the network on which the clients are. Only where the specification names a gateway.
    record Gateway(ResourceId resource, Reach reach, String detail) implements Observation {
        @Override
        public String key() {
            return "gateway/" + resource;
        }
    }

    /// What is the matter with a database server that lives.
    enum Trouble {
        /// no connection is left (error 1040): it is alive
        EXHAUSTED,
        /// commits wait for an acknowledgement that does not come
        SEMI_SYNC_BLOCKED,
        /// a lock, backup or DDL holds up writes: it is alive
        WRITES_BLOCKED,
        /// the file system of its data is full
        DISK_FULL,
        /// writes to its file system do not return
        DISK_STALLED,
        /// its file system is mounted read-only
        READ_ONLY_DISK
    }

    /// What came back from the other side. Silence is not death: it says that nothing came back here.
    enum Reach {
        ANSWERS,
        /// a host is there and nobody listens
        REFUSES,
        /// accepted, and no answer
        HANGS,
        SILENT
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
    /// @param heartbeat the group's heartbeat row as it is on this server, null if it has none or the agent
    /// is of an earlier version
    /// @param troubles what is the matter beside that, each at most once, in the order of [Trouble]
    /// @param unacknowledged commits since the server's start that were answered although semi-sync was on and no
    /// replica had acknowledged (MariaDB: Rpl_semi_sync_master_no_tx); null while it is not known
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
            @Nullable HeartbeatRow heartbeat,
            List<Trouble> troubles,
            String detail,
            @Nullable Long unacknowledged)
            implements Observation {
        public Database {
            troubles = List.copyOf(troubles);
        }

        /// Without a heartbeat row.
        public Database(
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
                List<Trouble> troubles,
                String detail,
                @Nullable Long unacknowledged) {
            this(
                    group,
                    service,
                    health,
                    version,
                    serverId,
                    serverStart,
                    readOnly,
                    binlogPosition,
                    appliedPosition,
                    semiSyncPrimary,
                    semiSyncReplica,
                    semiSyncClients,
                    replica,
                    null,
                    troubles,
                    detail,
                    unacknowledged);
        }

        @Override
        public String key() {
            return "database/" + group;
        }
    }

    /// The data of the database server on this host, what hinders copying them, and a copy that is being made (at
    /// most one).
    ///
    /// @param dataBytes size of the data folder without the server's logs, about; -1 while it is not known
    /// @param freeBytes room beside it on the same file system; -1 while it is not known
    /// @param cannotGive why no copy of it can be made, empty if one can
    /// @param cannotReceive why a copy could not take its place, empty if it could
    /// @param copying null when none is being made
    record Data(
            String group,
            long dataBytes,
            long freeBytes,
            String cannotGive,
            String cannotReceive,
            @Nullable Copying copying)
            implements Observation {
        @Override
        public String key() {
            return "data/" + group;
        }
    }

    /// The newest backup on this host, by the group's `backup`.
    ///
    /// @param newestSeconds when it was written last, since 1970; 0 if there is none
    /// @param file which one, empty if there is none
    /// @param trouble what could not be looked at, empty if nothing
    record Backup(String group, long newestSeconds, String file, String trouble) implements Observation {
        @Override
        public String key() {
            return "backup/" + group;
        }
    }

    /// What a host has to do with a copy just now.
    enum CopyStep {
        /// its server's data are read and sent
        GIVING,
        /// another server's data are received
        RECEIVING,
        /// what was received is made consistent
        PREPARING,
        /// it is complete, beside the data folder
        READY
    }

    /// @param copy the ticket's name
    /// @param bytes sent or received so far
    /// @param total how many there will be, about
    /// @param bytesPerSecond over the last seconds
    record Copying(String copy, CopyStep step, long bytes, long total, long bytesPerSecond) {

        /// Of the total, between 0 and 100.
        public int percent() {
            return total <= 0 ? 0 : Math.toIntExact(Math.min(100, bytes * 100 / total));
        }
    }

    /// The row that the primary's agent writes each second and replication brings to the others. Two rows of the
    /// same server tell how far one of them is behind without any other clock than that server's.
    ///
    /// @param serverId the primary that it was written on
    /// @param epoch the epoch of the primary role then
    /// @param micros when, in microseconds since 1970 by the clock of that primary's host
    record HeartbeatRow(long serverId, long epoch, long micros) {}

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

    /// How the database server on this host is set up, as far as that matters to whoever would promote it. Read when
    /// the server is seen to have started, and about once a minute; what was read last stands when the server is
    /// gone.
    ///
    /// @param version as the server names it
    /// @param binlogFormat ROW, MIXED or STATEMENT; empty without a binary log
    /// @param gtidDomain the domain in which it numbers its own transactions
    /// @param delaySeconds by which its applier stays behind on purpose (MASTER_DELAY)
    /// @param diskFreeBytes free where its data is, in whole MiB; -1 if it is not known
    /// @param findings what is amiss, what blocks first
    record Settings(
            String group,
            String version,
            long serverId,
            String binlogFormat,
            long gtidDomain,
            long delaySeconds,
            long diskFreeBytes,
            long diskBytes,
            List<Finding> findings)
            implements Observation {
        public Settings {
            findings = List.copyOf(findings);
        }

        @Override
        public String key() {
            return "settings/" + group;
        }
    }

    /// A setting that is not as it should be.
    ///
    /// @param code stable, such as LOG_SLAVE_UPDATES
    /// @param text the value found and the value wanted
    record Finding(String code, Severity severity, String text) {

        /// For people.
        public String describe() {
            return code + ": " + text;
        }
    }

    enum Severity {
        /// such a server is not promoted
        BLOCKS,
        /// it is told
        WARNS
    }
}
