package dev.understudy.core.diagnosis;

import dev.understudy.core.Membership;
import dev.understudy.core.Operations;
import dev.understudy.core.Rebuild;
import dev.understudy.core.ResourceState.PrimaryState;
import dev.understudy.core.State.Sent;
import dev.understudy.core.evidence.Evidence;
import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.Health;
import dev.understudy.protocol.Observation;
import dev.understudy.protocol.Outcome;
import dev.understudy.protocol.ServiceState;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;

/// Evidence → the situation of a member beside a steady primary.
public final class MemberDiagnosis {

    /// Of the server that is connected to: wrong password or unknown account.
    private static final Set<Integer> ACCESS_DENIED = Set.of(1045, 1698);

    private MemberDiagnosis() {}

    /// @param follow the latest order to follow the present primary that this member got, if any
    public static Diagnosis<MemberSituation> of(
            Evidence evidence, PrimaryState primary, String member, Optional<Sent> follow) {
        Optional<Observation.Database> seen =
                evidence.database(member, primary.id().group());
        boolean belongs = evidence.spec()
                .group(primary.id().group())
                .filter(group -> group.members().contains(member))
                .isPresent();
        if (!belongs) {
            return Diagnosis.of(MemberSituation.REMOVED, member + " is in the group no more");
        }
        Optional<Rebuild> rebuild = evidence.operations()
                .rebuild(primary.id().group())
                .filter(r -> r.host().equals(member) && r.phase() != Rebuild.Phase.FOLLOWING);
        if (rebuild.isPresent()) {
            return Diagnosis.of(
                    MemberSituation.BEING_REBUILT,
                    member + " is being rebuilt (" + rebuild.get().id() + ")");
        }
        if (primary.isQuarantined(member)) {
            return Diagnosis.of(MemberSituation.QUARANTINED, member + " is quarantined");
        }
        boolean died = seen.map(d -> d.service() == ServiceState.ENDED).orElse(false);
        if (died
                && evidence.fresh(member)
                && Restarts.of(evidence, primary.id(), member, primary.epoch())
                        .filter(r -> Restarts.age(evidence, r).compareTo(Deadlines.FOLLOWING) < 0)
                        .isEmpty()
                && Restarts.allowed(evidence, primary.id(), member)) {
            return Diagnosis.of(MemberSituation.RESTART_DUE, "the database on " + member + " died");
        }
        if (!evidence.fresh(member)
                || seen.isEmpty()
                || seen.get().health() != Health.UP
                || seen.get().readOnly() == null) {
            return away(evidence, primary, member);
        }
        if (Boolean.FALSE.equals(seen.get().readOnly())) {
            return Diagnosis.of(MemberSituation.WRITABLE, member + " is writable without holding the role");
        }
        Optional<Operations.Maintenance> maintenance = evidence.maintenance(member);
        if (maintenance.isPresent()) {
            return Diagnosis.of(
                    MemberSituation.IN_MAINTENANCE,
                    member + " is " + maintenance.get().describe());
        }
        Outcome outcome = follow.map(Sent::outcome).orElse(null);
        if (outcome instanceof Outcome.Refused refused && refused.code().equals("diverged")) {
            return Diagnosis.of(MemberSituation.DIVERGED, member + " " + refused.reason());
        }
        String primaryAddress = evidence.spec()
                .host(String.valueOf(primary.holder()))
                .map(ClusterSpec.Host::address)
                .orElse("");
        Observation.Replica replica = seen.get().replica();
        if (replica != null && replica.source().equals(primaryAddress)) {
            if (replica.applierErrno() != 0) {
                return Diagnosis.of(
                        MemberSituation.APPLIER_BROKEN, "the applier of " + member + " stopped: " + replica.error());
            }
            if (!replica.receiver().equals("No") && replica.applier().equals("Yes") && !isRefused(replica)) {
                return Diagnosis.of(MemberSituation.FOLLOWING, member + " follows");
            }
        }
        boolean waiting = follow.isPresent()
                && evidence.now()
                                .mono()
                                .since(
                                        follow.get().outcome() == null
                                                ? follow.get().at()
                                                : follow.get().answeredAt())
                                .compareTo(outcome == null ? Deadlines.FOLLOWING : Deadlines.RETRY)
                        < 0;
        return waiting
                ? Diagnosis.of(MemberSituation.ON_ITS_WAY, member + " is on its way")
                : Diagnosis.of(MemberSituation.ASTRAY, member + " answers and does not follow the primary");
    }

    /// The primary does not let its receiver in: it goes on trying, and will not get in with what it has. An order to
    /// follow gives it the account anew.
    private static boolean isRefused(Observation.Replica replica) {
        return replica.receiver().equals("Connecting") && ACCESS_DENIED.contains(replica.receiverErrno());
    }

    private static Diagnosis<MemberSituation> away(Evidence evidence, PrimaryState primary, String member) {
        Duration away = evidence.fresh(member)
                ? evidence.inStateFor(member, "database/" + primary.id().group())
                : evidence.silentFor(member);
        boolean overdue = away.compareTo(Deadlines.LEAVING) >= 0;
        boolean maintained = evidence.maintenance(member).isPresent();
        return overdue || maintained || primary.members().isAt(member, Membership.Stage.LEAVING)
                ? Diagnosis.of(
                        MemberSituation.LOST,
                        member + (maintained ? ", in maintenance, does not answer" : " has not answered for long"))
                : Diagnosis.of(MemberSituation.AWAY, member + " does not answer");
    }
}
