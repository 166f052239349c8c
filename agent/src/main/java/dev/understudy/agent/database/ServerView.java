package dev.understudy.agent.database;

import dev.understudy.protocol.GtidList;
import org.jspecify.annotations.Nullable;

/// What a server says of itself, in the terms that all dialects share. Positions are GTID lists.
///
/// @param binlogState every domain and server that the binary log has seen, last GTID each
/// @param waitingCommits sessions whose commit waits for a replica's acknowledgement
/// @param unacknowledged commits since the start that were answered although no replica had acknowledged them
/// @param replica replication from a primary, null if none is configured
record ServerView(
        String version,
        long serverId,
        boolean readOnly,
        GtidList binlog,
        GtidList binlogState,
        GtidList applied,
        boolean semiSyncPrimary,
        boolean semiSyncReplica,
        int semiSyncClients,
        int waitingCommits,
        long unacknowledged,
        @Nullable ReplicaView replica) {

    /// Everything of the replicated history that this server has taken in, applied or not.
    GtidList received() {
        return replica == null ? position() : replica.received().merge(position());
    }

    /// Where it would start to follow: its binary log's position, and the applied one for domains that its binary
    /// log does not have yet (a freshly seeded replica) or where the applied one is later.
    GtidList position() {
        return binlog.merge(applied);
    }

    ServerView with(@Nullable ReplicaView other) {
        return new ServerView(
                version,
                serverId,
                readOnly,
                binlog,
                binlogState,
                applied,
                semiSyncPrimary,
                semiSyncReplica,
                semiSyncClients,
                waitingCommits,
                unacknowledged,
                other);
    }

    /// @param receiver Yes, No, Connecting or Preparing
    /// @param applier Yes or No
    /// @param received last GTID received since the server's start; empty when the threads have not run yet
    /// @param secondsBehind -1 if the server has no estimate
    /// @param delaySeconds by which the applier stays behind on purpose
    /// @param encrypted it asks for TLS
    record ReplicaView(
            String source,
            int port,
            String receiver,
            String applier,
            GtidList received,
            long secondsBehind,
            int receiverErrno,
            int applierErrno,
            String error,
            long delaySeconds,
            boolean encrypted) {

        boolean receiverStopped() {
            return receiver.equals("No");
        }

        boolean applierRuns() {
            return applier.equals("Yes");
        }
    }
}
