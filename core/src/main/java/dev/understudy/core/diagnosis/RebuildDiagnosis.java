package dev.understudy.core.diagnosis;

import dev.understudy.core.Event.Candidate;
import dev.understudy.core.Rebuild;
import dev.understudy.core.ResourceState.PrimaryState;
import dev.understudy.core.State.Sent;
import dev.understudy.core.candidate.Donors;
import dev.understudy.core.evidence.Evidence;
import dev.understudy.protocol.ClusterSpec.DatabaseGroup;
import dev.understudy.protocol.Outcome;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/// Evidence → what a rebuild is found in.
public final class RebuildDiagnosis {

    /// A host that is not heard for so long is not waited for when a rebuild was cancelled.
    static final Duration UNHEARD = Duration.ofMinutes(1);

    private final Evidence evidence;
    private final PrimaryState primary;
    private final DatabaseGroup group;
    private final Rebuild rebuild;

    public RebuildDiagnosis(Evidence evidence, PrimaryState primary, DatabaseGroup group, Rebuild rebuild) {
        this.evidence = evidence;
        this.primary = primary;
        this.group = group;
        this.rebuild = rebuild;
    }

    /// @param orders the orders of the present phase that were given, each where it stands
    /// @param serves the primary that was journaled is there and writable
    public Diagnosis<RebuildSituation> of(List<Sent> orders, boolean serves) {
        String host = rebuild.host();
        if (!group.members().contains(host) || host.equals(primary.holder())) {
            return Diagnosis.of(RebuildSituation.GONE, host + " is the primary now, or in the group no more");
        }
        return switch (rebuild.phase()) {
            case LEAVING -> leaving(serves);
            case COPYING -> copying(orders);
            case ADOPTING -> adopting(orders, serves);
            case FOLLOWING -> following();
            case CANCELLING -> cancelling(orders);
            case OVER -> throw new IllegalStateException("a rebuild that is over is not kept: " + rebuild);
        };
    }

    private Diagnosis<RebuildSituation> leaving(boolean serves) {
        String host = rebuild.host();
        if (!primary.steady() || !serves) {
            return Diagnosis.of(RebuildSituation.HELD_UP, "no primary is steady");
        }
        if (primary.ackers().contains(host)) {
            return Diagnosis.of(RebuildSituation.STILL_ACKER, host + " may still acknowledge");
        }
        List<Candidate> donors = Donors.of(evidence, primary, host);
        Optional<String> donor = Donors.best(donors, rebuild.wanted());
        Optional<String> missed = donor.filter(d -> d.equals(primary.holder()) && rebuild.wanted() == null)
                .flatMap(_ -> missed(host));
        if (missed.isPresent()) {
            return new Diagnosis<>(
                    RebuildSituation.NO_DONOR,
                    missed.get() + " is not heard for the moment, and the primary is spared while it may be back",
                    donors);
        }
        return new Diagnosis<>(
                donor.isPresent() ? RebuildSituation.DONOR_CHOSEN : RebuildSituation.NO_DONOR,
                donor.map(d -> host + " acknowledges nothing any more, and is rebuilt from " + d)
                        .orElse("nobody can give " + host + " a copy now"),
                donors);
    }

    /// A replica that was silent for long is not waited for.
    private Optional<String> missed(String host) {
        return primary.ackers().stream()
                .filter(m -> !m.equals(host) && !primary.isQuarantined(m))
                .filter(m -> !evidence.fresh(m) && evidence.silentFor(m).compareTo(Deadlines.LEAVING) < 0)
                .findFirst();
    }

    private Diagnosis<RebuildSituation> copying(List<Sent> orders) {
        Optional<Diagnosis<RebuildSituation>> failed = failed(orders, "the copy from " + rebuild.donor());
        if (failed.isPresent()) {
            return failed.get();
        }
        boolean copied = orders.size() == 2 && orders.stream().allMatch(sent -> sent.outcome() instanceof Outcome.Done);
        return copied
                ? Diagnosis.of(RebuildSituation.COPIED, rebuild.host() + " has a complete copy from " + rebuild.donor())
                : Diagnosis.of(RebuildSituation.UNDER_WAY, progress());
    }

    /// How far the copy is, as far as its receiver has told.
    private String progress() {
        return evidence.data(rebuild.host(), group.name())
                .map(dev.understudy.protocol.Observation.Data::copying)
                .filter(copying -> copying.copy().equals(rebuild.ticket().copy()))
                .map(copying -> rebuild.host() + " has " + copying.percent() + " % of the copy from " + rebuild.donor())
                .orElse("the copy from " + rebuild.donor() + " begins");
    }

    private Diagnosis<RebuildSituation> adopting(List<Sent> orders, boolean serves) {
        if (orders.isEmpty()) {
            boolean mayBegin = primary.steady() && serves && !primary.ackers().contains(rebuild.host());
            return mayBegin
                    ? Diagnosis.of(RebuildSituation.UNDER_WAY, "the data of " + rebuild.host() + " are to be replaced")
                    : Diagnosis.of(RebuildSituation.HELD_UP, "no primary is steady");
        }
        Optional<Diagnosis<RebuildSituation>> failed = failed(orders, "putting the copy in place");
        if (failed.isPresent()) {
            return failed.get();
        }
        return orders.stream().allMatch(sent -> sent.outcome() instanceof Outcome.Done)
                ? Diagnosis.of(
                        RebuildSituation.ADOPTED, rebuild.host() + " answers with the data of " + rebuild.donor())
                : Diagnosis.of(RebuildSituation.UNDER_WAY, "the data of " + rebuild.host() + " are being replaced");
    }

    private Diagnosis<RebuildSituation> following() {
        if (primary.isQuarantined(rebuild.host())) {
            return Diagnosis.of(RebuildSituation.FAILED_AGAIN, rebuild.host() + " was quarantined again");
        }
        boolean follows = primary.steady()
                && MemberDiagnosis.of(evidence, primary, rebuild.host(), Optional.empty())
                                .situation()
                        == MemberSituation.FOLLOWING;
        return follows
                ? Diagnosis.of(
                        RebuildSituation.FOLLOWS, rebuild.host() + " follows with the data of " + rebuild.donor())
                : Diagnosis.of(RebuildSituation.UNDER_WAY, rebuild.host() + " does not follow yet");
    }

    private Diagnosis<RebuildSituation> cancelling(List<Sent> orders) {
        boolean cleared =
                orders.stream().anyMatch(s -> s.host().equals(rebuild.host()) && s.outcome() instanceof Outcome.Done);
        boolean away = evidence.silentFor(rebuild.host()).compareTo(UNHEARD) > 0;
        return cleared || away
                ? Diagnosis.of(
                        RebuildSituation.CLEARED,
                        "the rebuild of " + rebuild.host() + " has ended"
                                + (cleared ? "" : "; its agent is not heard and will remove the rest at the next one"))
                : Diagnosis.of(RebuildSituation.UNDER_WAY, "the rebuild of " + rebuild.host() + " is being ended");
    }

    /// A moment passes before another attempt.
    private Optional<Diagnosis<RebuildSituation>> failed(List<Sent> orders, String what) {
        return orders.stream()
                .filter(sent -> sent.outcome() instanceof Outcome.Failed
                        || (sent.outcome() instanceof Outcome.Refused && !Sent.waits(sent.outcome())))
                .filter(sent -> evidence.now().mono().since(sent.answeredAt()).compareTo(Deadlines.RETRY) > 0)
                .findFirst()
                .map(sent -> Diagnosis.of(
                        rebuild.isLastAttempt() ? RebuildSituation.FAILED_AGAIN : RebuildSituation.FAILED,
                        "attempt %d of %d, %s: %s says %s"
                                .formatted(
                                        rebuild.attempt(),
                                        rebuild.tokens().size(),
                                        what,
                                        sent.host(),
                                        reason(sent.outcome()))));
    }

    private static String reason(@org.jspecify.annotations.Nullable Outcome outcome) {
        return switch (outcome) {
            case Outcome.Failed failed -> failed.reason();
            case Outcome.Refused refused -> refused.reason();
            case null -> "nothing";
            case Outcome.Done _, Outcome.Unknown _ -> outcome.describe();
        };
    }
}
