package dev.understudy.core.diagnosis;

import dev.understudy.core.Plan;
import dev.understudy.core.ResourceState.PrimaryState;
import dev.understudy.core.candidate.PrimaryCandidates.Position;
import dev.understudy.core.evidence.Evidence;
import dev.understudy.protocol.GtidList;
import dev.understudy.protocol.Observation;
import dev.understudy.protocol.Outcome;
import dev.understudy.protocol.ServiceState;
import java.util.Map;

/// How a fetch stands: a better placed candidate gets what only the most advanced one has.
final class FetchDiagnosis {

    private final Evidence evidence;
    private final PrimaryState primary;
    private final Map<String, Outcome> answers;

    /// @param answers by [FetchStep#word]
    FetchDiagnosis(Evidence evidence, PrimaryState primary, Map<String, Outcome> answers) {
        this.evidence = evidence;
        this.primary = primary;
        this.answers = answers;
    }

    Diagnosis<PrimarySituation> diagnose() {
        Plan plan = primary.plan();
        Plan.Fetch fetch = plan == null ? null : plan.fetch();
        if (plan == null || fetch == null) {
            return Diagnosis.of(PrimarySituation.STEP_FAILED, "nothing is to be fetched");
        }
        String because = fetch.by() + " fetches from " + fetch.from();
        for (FetchStep step : FetchStep.values()) {
            Outcome outcome = answers.get(step.word());
            String host = step.atDonor() ? fetch.from() : fetch.by();
            if (outcome instanceof Outcome.Refused || outcome instanceof Outcome.Failed) {
                return failed(because + ": " + step.word() + ": " + host + " " + outcome.describe());
            }
            if (outcome instanceof Outcome.Done done && !has(step, done, plan)) {
                return failed(because + " up to " + plan.position() + ": " + step.word() + ": " + host + " has only "
                        + done.facts());
            }
        }
        if (answers.get(FetchStep.IS_CUT.word()) instanceof Outcome.Done) {
            return Diagnosis.of(
                    PrimarySituation.STEP_DONE,
                    fetch.by() + " has fetched up to " + plan.position() + " from " + fetch.from());
        }
        if (gone(fetch.by())) {
            return failed(because + ": " + fetch.by() + " is lost");
        }
        if (gone(fetch.from()) && !(answers.get(FetchStep.REACHES.word()) instanceof Outcome.Done)) {
            return Diagnosis.of(PrimarySituation.DONOR_LOST, because + ", which is lost");
        }
        boolean overdue = evidence.inPhase(primary.id()).compareTo(Deadlines.FETCHING) > 0;
        return Diagnosis.of(
                overdue ? PrimarySituation.OVERDUE : PrimarySituation.STEP_PENDING,
                overdue
                        ? because + " and has not got everything in " + Deadlines.FETCHING.toSeconds() + " s"
                        : because);
    }

    /// A server that was restarted may have less than it told of (S15). What the donor promised is never taken for what
    /// the other one has.
    private static boolean has(FetchStep step, Outcome.Done done, Plan plan) {
        GtidList wanted = GtidList.parse(plan.position());
        return switch (step) {
            case APPLIES, FOLLOWS, PARTS -> true;
            case DONOR_APPLIES, REACHES ->
                GtidList.parse(done.facts().getOrDefault("applied", plan.position()))
                        .reached(wanted);
            case IS_CUT -> Position.of(done.facts()).applied().reached(wanted);
        };
    }

    private static Diagnosis<PrimarySituation> failed(String because) {
        return Diagnosis.of(PrimarySituation.STEP_FAILED, because);
    }

    /// A leader that has just begun has not heard anybody yet.
    private boolean gone(String host) {
        ServiceState service = evidence.database(host, primary.id().group())
                .map(Observation.Database::service)
                .orElse(ServiceState.UNKNOWN);
        boolean silent = !evidence.fresh(host)
                && evidence.inPhase(primary.id())
                                .compareTo(evidence.state().timing().ttl())
                        > 0;
        return silent || service == ServiceState.ENDED || service == ServiceState.STOPPED;
    }
}
