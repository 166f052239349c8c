package dev.understudy.core;

import dev.understudy.core.State.Graded;
import dev.understudy.core.evidence.Evidence;
import dev.understudy.core.evidence.Reading;
import dev.understudy.core.plan.Turn;
import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.ClusterSpec.DatabaseGroup;
import dev.understudy.protocol.ResourceId;
import java.util.HashMap;
import java.util.Map;

/// Keeps since when each member has been worth what it is worth as holder of a reader address, so that the address
/// does not follow every breath of a replica. While no primary is steady the time does not run: a failover stops
/// replication everywhere, and is no reason to move reads.
final class ReaderWatch {

    private ReaderWatch() {}

    static void look(Turn turn) {
        ClusterSpec spec = turn.state().journaled().spec();
        if (spec == null) {
            return;
        }
        Map<String, Graded> next = new HashMap<>();
        for (ClusterSpec.Group group : spec.groups()) {
            if (group instanceof DatabaseGroup database && database.reader() != null) {
                grade(turn, database, database.reader(), next);
            }
        }
        if (!next.equals(turn.state().readings())) {
            turn.become(turn.state().withReadings(next));
        }
    }

    private static void grade(Turn turn, DatabaseGroup group, ClusterSpec.Reader reader, Map<String, Graded> next) {
        ResourceState primary = turn.resource(ResourceId.primary(group.name()));
        boolean steady = primary != null && primary.steady();
        Evidence evidence = turn.evidence();
        for (String member : group.members()) {
            String key = Evidence.readingKey(group.name(), member);
            Graded before = turn.state().readings().get(key);
            Reading.Grade grade = Reading.of(evidence, group, reader, member).grade();
            boolean goesOn = steady && before != null && before.grade() == grade;
            next.put(key, goesOn ? before : new Graded(grade, turn.now().mono()));
        }
    }
}
