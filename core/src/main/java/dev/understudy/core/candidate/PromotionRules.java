package dev.understudy.core.candidate;

import dev.understudy.core.Plan;
import dev.understudy.core.ResourceState.PrimaryState;
import dev.understudy.core.evidence.Evidence;
import dev.understudy.core.evidence.ReplicationLag;
import dev.understudy.protocol.ClusterSpec.DatabaseGroup;
import dev.understudy.protocol.ClusterSpec.Group;
import dev.understudy.protocol.ClusterSpec.MinFree;
import dev.understudy.protocol.GtidList;
import dev.understudy.protocol.Health;
import dev.understudy.protocol.Observation.Finding;
import dev.understudy.protocol.Observation.Settings;
import dev.understudy.protocol.Observation.Severity;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Whether a server is set up to be the primary. What is not known speaks against nobody.
public final class PromotionRules {

    /// The time that a candidate has to apply what it has received: `Deadlines.CATCHING_UP`.
    public static final Duration APPLIES_WITHIN = Duration.ofSeconds(10);

    /// A row is written once a second: a member that is not behind at all may seem to be by that much.
    private static final Duration MOST_LAG = APPLIES_WITHIN.plus(ReplicationLag.GRAIN);

    private final Evidence evidence;
    private final PrimaryState primary;
    private final String group;

    public PromotionRules(Evidence evidence, PrimaryState primary) {
        this.evidence = evidence;
        this.primary = primary;
        this.group = primary.id().group();
    }

    /// What would be lost or broken if it were promoted; empty if nothing is known of the kind. The last holder is not
    /// judged: it did this work until now.
    ///
    /// @param history what it has received, in the domains of the group's history
    public Optional<String> unfit(String member, GtidList history) {
        if (member.equals(last())) {
            return Optional.empty();
        }
        return Stream.of(
                        findings(member),
                        sameServerId(member),
                        format(member),
                        domain(member, history),
                        version(member))
                .flatMap(Optional::stream)
                .findFirst();
    }

    /// What speaks for another member with the same transactions; this one is taken when there is none. Empty if
    /// nothing does.
    public Optional<Reluctance> reluctant(String member) {
        Settings settings = settings(member).orElse(null);
        if (settings != null && settings.delaySeconds() > 0) {
            return Optional.of(new Reluctance(
                    3, "its applier stays " + settings.delaySeconds() + " s behind on purpose (MASTER_DELAY)"));
        }
        return lowDisk(member).map(because -> new Reluctance(2, because));
    }

    /// The same of one that has not applied all that it has received: it may not be done in time.
    public Optional<Reluctance> late(String member) {
        return ReplicationLag.of(evidence, group, member)
                .filter(lag -> lag.length().compareTo(MOST_LAG) > 0)
                .map(lag -> new Reluctance(
                        1,
                        "it " + lag.describe() + ", more than it has time for (" + APPLIES_WITHIN.toSeconds() + " s)"));
    }

    /// What people are told of a member while all is well, before it matters; empty if there is nothing to mend. The
    /// primary itself too: as a replica it could not be promoted again.
    public Optional<String> problem(String member) {
        boolean holds = member.equals(primary.holder());
        return (holds ? findings(member) : unfit(member, history(member)))
                .map(because -> member + " could not be promoted" + (holds ? " again" : "") + ": " + because)
                .or(() -> lowDisk(member).map(because -> member + ": " + because))
                .or(() -> reluctant(member).isPresent()
                        ? Optional.empty()
                        : late(member).map(late -> member + ": " + late.because()));
    }

    private GtidList history(String member) {
        return evidence.database(member, group).map(PrimaryCandidates::history).orElse(new GtidList(List.of()));
    }

    /// @param weight the heavier, the later its turn
    public record Reluctance(int weight, String because) {}

    /// Too little is free where its data is.
    public Optional<String> lowDisk(String member) {
        MinFree needed = evidence.spec()
                .group(group)
                .filter(DatabaseGroup.class::isInstance)
                .map(g -> ((DatabaseGroup) g).needed())
                .orElse(MinFree.DEFAULT);
        return settings(member)
                .filter(s -> s.diskFreeBytes() >= 0 && !needed.met(s.diskFreeBytes(), s.diskBytes()))
                .map(s -> "only %d MiB of %d are free for its data, min_free is %s"
                        .formatted(s.diskFreeBytes() >> 20, s.diskBytes() >> 20, needed.describe()));
    }

    private Optional<String> findings(String member) {
        String blocking = settings(member).stream()
                .flatMap(settings -> settings.findings().stream())
                .filter(finding -> finding.severity() == Severity.BLOCKS)
                .map(Finding::describe)
                .collect(Collectors.joining("; "));
        return blocking.isEmpty() ? Optional.empty() : Optional.of("its configuration: " + blocking);
    }

    /// Replicas skip events with their own server id, and a primary ends the older of two connections with the same
    /// one.
    private Optional<String> sameServerId(String member) {
        long mine = settings(member).map(Settings::serverId).orElse(0L);
        return others(member)
                .filter(other ->
                        mine != 0 && settings(other).map(Settings::serverId).orElse(0L) == mine)
                .findFirst()
                .map(other -> "SERVER_ID: it has server_id " + mine + ", and so has " + other);
    }

    /// Statements whose result depends on the server were replicated as rows until now.
    private Optional<String> format(String member) {
        String mine = settings(member).map(Settings::binlogFormat).orElse("");
        String before = settings(last()).map(Settings::binlogFormat).orElse("");
        return mine.equals("STATEMENT") && !before.isEmpty() && !before.equals(mine)
                ? Optional.of("BINLOG_FORMAT: it would log in format STATEMENT, " + last() + " logged in " + before)
                : Optional.empty();
    }

    /// Transactions in a domain of their own are not ordered after those of the group's.
    private Optional<String> domain(String member, GtidList history) {
        Optional<Settings> mine = settings(member);
        if (mine.isEmpty()) {
            return Optional.empty();
        }
        long domain = mine.get().gtidDomain();
        Optional<Settings> before = settings(last());
        if (before.isPresent()) {
            return before.get().gtidDomain() == domain
                    ? Optional.empty()
                    : Optional.of("GTID_DOMAIN: it would number in domain " + domain + ", " + last() + " numbered in "
                            + before.get().gtidDomain());
        }
        List<Long> known = history.gtids().stream().map(GtidList.Gtid::domain).toList();
        return known.isEmpty() || known.contains(domain)
                ? Optional.empty()
                : Optional.of("GTID_DOMAIN: it would number in domain " + domain + ", the history is in " + known);
    }

    /// A server replicates from an older major version or its own. One that is older than the last primary has data of
    /// a newer one; one that is newer than another member that lives would leave that behind.
    private Optional<String> version(String member) {
        Major mine = Major.of(settings(member).map(Settings::version).orElse(""));
        Major before = Major.of(settings(last()).map(Settings::version).orElse(""));
        if (mine == null) {
            return Optional.empty();
        }
        if (before != null && mine.compareTo(before) < 0) {
            return Optional.of("VERSION: it is " + mine + ", older than " + last() + " with " + before);
        }
        if (mine.equals(before)) {
            return Optional.empty(); // who could not follow it has not followed the last primary either
        }
        return others(member)
                .filter(other -> !other.equals(last()) && !primary.isQuarantined(other) && answers(other))
                .filter(other -> {
                    Major its = Major.of(settings(other).map(Settings::version).orElse(""));
                    return its != null && its.compareTo(mine) < 0;
                })
                .findFirst()
                .map(other -> "VERSION: it is " + mine + ", and " + other
                        + " is older and could not follow it: upgrade " + other + " first");
    }

    private boolean answers(String member) {
        return evidence.fresh(member)
                && evidence.database(member, group)
                        .filter(seen -> seen.health() == Health.UP)
                        .isPresent();
    }

    private Stream<String> others(String member) {
        return evidence.spec().group(group).map(Group::members).orElse(List.of()).stream()
                .filter(other -> !other.equals(member));
    }

    /// Who is, or was before the present plan, the primary; empty if nobody was.
    private String last() {
        Plan plan = primary.plan();
        String last = plan == null ? primary.holder() : plan.from();
        return last == null ? "" : last;
    }

    private Optional<Settings> settings(String member) {
        return member.isEmpty() ? Optional.empty() : evidence.settings(member, group);
    }

    /// @param major the first number, `10` of 10.11.6
    /// @param minor the second; both together are what replication goes by
    record Major(int major, int minor) implements Comparable<Major> {

        /// Null if the text does not begin with two numbers.
        static @Nullable Major of(String version) {
            String[] words = version.split("[^0-9]", 3);
            try {
                return words.length < 2 ? null : new Major(Integer.parseInt(words[0]), Integer.parseInt(words[1]));
            } catch (NumberFormatException e) {
                return null;
            }
        }

        @Override
        public int compareTo(Major other) {
            return major == other.major ? Integer.compare(minor, other.minor) : Integer.compare(major, other.major);
        }

        @Override
        public String toString() {
            return major + "." + minor;
        }
    }
}
