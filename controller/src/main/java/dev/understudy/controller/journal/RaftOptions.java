package dev.understudy.controller.journal;

import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.ratis.conf.RaftProperties;
import org.apache.ratis.grpc.GrpcConfigKeys;
import org.apache.ratis.server.RaftServerConfigKeys;
import org.apache.ratis.util.SizeInBytes;
import org.apache.ratis.util.TimeDuration;

/// Ratis' options, in one place.
final class RaftOptions {

    /// A snapshot is taken after so many log entries, and the log before it is dropped.
    static final int ENTRIES_BETWEEN_SNAPSHOTS = 2000;

    private RaftOptions() {}

    static RaftProperties of(Journal.Settings settings, int members) {
        RaftProperties properties = new RaftProperties();
        RaftServerConfigKeys.setStorageDir(properties, List.of(settings.store().toFile()));
        RaftServerConfigKeys.setStorageFreeSpaceMin(properties, SizeInBytes.valueOf("1MB"));

        int colon = settings.address().lastIndexOf(':');
        GrpcConfigKeys.Server.setHost(properties, settings.address().substring(0, colon));
        GrpcConfigKeys.Server.setPort(
                properties, Integer.parseInt(settings.address().substring(colon + 1)));

        // Alone there is no rival to wait for: lead at once, because leases lapse while nobody leads. With others, 500
        // to 1000 ms: shorter ones change leaders by themselves on a busy machine (measured).
        boolean alone = members == 1;
        RaftServerConfigKeys.Rpc.setTimeoutMin(properties, millis(alone ? 50 : 500));
        RaftServerConfigKeys.Rpc.setTimeoutMax(properties, millis(alone ? 100 : 1000));
        RaftServerConfigKeys.Rpc.setFirstElectionTimeoutMin(properties, millis(alone ? 10 : 300));
        RaftServerConfigKeys.Rpc.setFirstElectionTimeoutMax(properties, millis(alone ? 20 : 500));
        RaftServerConfigKeys.LeaderElection.setPreVote(properties, !alone);

        // S4: a read that is answered only after the leader has made sure that it leads. The default option is not
        // linearizable (seen), and Ratis' own leader lease trusts clocks in a way that ours must not depend on.
        RaftServerConfigKeys.Read.setOption(properties, RaftServerConfigKeys.Read.Option.LINEARIZABLE);
        RaftServerConfigKeys.Read.setLeaderLeaseEnabled(properties, false);

        RaftServerConfigKeys.Snapshot.setAutoTriggerEnabled(properties, true);
        RaftServerConfigKeys.Snapshot.setAutoTriggerThreshold(properties, ENTRIES_BETWEEN_SNAPSHOTS);
        RaftServerConfigKeys.Snapshot.setRetentionFileNum(properties, 2);
        RaftServerConfigKeys.Log.setPurgeUptoSnapshotIndex(properties, true);
        RaftServerConfigKeys.Log.setSegmentSizeMax(properties, SizeInBytes.valueOf("4MB"));
        RaftServerConfigKeys.Log.setPreallocatedSize(properties, SizeInBytes.valueOf("64KB"));
        RaftServerConfigKeys.Log.setSegmentCacheNumMax(properties, 2);
        RaftServerConfigKeys.Log.setSegmentCacheSizeMax(properties, SizeInBytes.valueOf("8MB"));
        // The write buffer must exceed the appender's limit, or a large entry is refused (measured).
        RaftServerConfigKeys.Log.Appender.setBufferByteLimit(properties, SizeInBytes.valueOf("4MB"));
        RaftServerConfigKeys.Log.setWriteBufferSize(properties, SizeInBytes.valueOf("5MB"));
        return properties;
    }

    private static TimeDuration millis(long amount) {
        return TimeDuration.valueOf(amount, TimeUnit.MILLISECONDS);
    }
}
