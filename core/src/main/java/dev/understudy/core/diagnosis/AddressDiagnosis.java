package dev.understudy.core.diagnosis;

import dev.understudy.core.Event.Candidate;
import dev.understudy.core.Plan;
import dev.understudy.core.ResourceState.AddressState;
import dev.understudy.core.State.Sent;
import dev.understudy.core.candidate.AddressCandidates;
import dev.understudy.core.evidence.Evidence;
import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.ClusterSpec.Mode;
import dev.understudy.protocol.Health;
import dev.understudy.protocol.Observation;
import dev.understudy.protocol.Outcome;
import java.util.List;
import java.util.Optional;

/// Evidence → the situation of a virtual address.
public final class AddressDiagnosis {

    private AddressDiagnosis() {}

    /// @param take the order to take that the target got in this phase, if it was sent
    public static Diagnosis<AddressSituation> of(Evidence evidence, AddressState address, Optional<Sent> take) {
        return switch (address.phase()) {
            case VACANT -> vacant(evidence, address);
            case HELD -> held(evidence, address);
            case RELEASING -> releasing(evidence, address, take);
            case TAKING -> taking(evidence, address, String.valueOf(address.holder()), address.epoch(), take);
        };
    }

    private static Diagnosis<AddressSituation> vacant(Evidence evidence, AddressState address) {
        if (evidence.blind()) {
            return Diagnosis.of(AddressSituation.BLIND, hears(evidence));
        }
        if (evidence.newerThan(address.id(), address.epoch())) {
            return Diagnosis.of(
                    AddressSituation.JOURNAL_TOO_OLD, "agents know of a later epoch than " + address.epoch());
        }
        if (mode(evidence, address) != Mode.AUTOMATIC) {
            return Diagnosis.of(AddressSituation.HELD_BACK, "mode is " + mode(evidence, address));
        }
        List<String> members = evidence.spec()
                .group(address.id().group())
                .map(ClusterSpec.Group::members)
                .orElse(List.of());
        boolean allHeard = members.stream()
                .allMatch(m -> evidence.fresh(m)
                        && evidence.balancer(m, address.id().group()).isPresent());
        if (!evidence.lapsed(address.id()) || (!allHeard && evidence.leading().compareTo(Deadlines.WARMING) < 0)) {
            return Diagnosis.of(AddressSituation.WARMING_UP, "waiting for members and old leases");
        }
        return withCandidates(
                evidence,
                address,
                AddressSituation.CANDIDATE_READY,
                AddressSituation.NO_CANDIDATE,
                "nobody holds the address");
    }

    private static Diagnosis<AddressSituation> held(Evidence evidence, AddressState address) {
        String holder = String.valueOf(address.holder());
        if (evidence.blind()) {
            return evidence.leading().compareTo(Deadlines.HEARING) < 0
                    ? Diagnosis.of(AddressSituation.WARMING_UP, "this controller has just started")
                    : Diagnosis.of(AddressSituation.BLIND, hears(evidence));
        }
        if (evidence.newerThan(address.id(), address.epoch())) {
            return Diagnosis.of(
                    AddressSituation.JOURNAL_TOO_OLD, "agents know of a later epoch than " + address.epoch());
        }
        if (!evidence.fresh(holder)) {
            return evidence.lapsed(address.id())
                    ? trouble(
                            evidence,
                            address,
                            AddressSituation.HOLDER_LAPSED,
                            holder + " is not heard and its lease is over")
                    : Diagnosis.of(AddressSituation.HOLDER_SILENT, holder + " is not heard; its lease may be alive");
        }
        if (evidence.released(holder, address.id(), address.epoch())) {
            Optional<Observation.Balancer> seen =
                    evidence.balancer(holder, address.id().group());
            boolean dead = seen.map(b -> b.health() == Health.DOWN).orElse(false);
            return trouble(
                    evidence,
                    address,
                    dead ? AddressSituation.SERVICE_DOWN : AddressSituation.HOLDER_RELEASED,
                    dead ? "HAProxy on " + holder + " is dead" : holder + " gave the address up by itself");
        }
        Optional<Observation.Balancer> seen =
                evidence.balancer(holder, address.id().group());
        if (seen.map(b -> b.health() == Health.DOWN).orElse(false)) {
            return trouble(evidence, address, AddressSituation.SERVICE_DOWN, "HAProxy on " + holder + " is dead");
        }
        if (evidence.holds(holder, address.id(), address.epoch())) {
            return seen.map(b -> b.health() == Health.UP).orElse(false)
                    ? Diagnosis.of(AddressSituation.SERVING, holder + " serves")
                    : Diagnosis.of(AddressSituation.UNSURE, "HAProxy on " + holder + " does not answer its socket");
        }
        return evidence.lapsed(address.id())
                ? trouble(evidence, address, AddressSituation.HOLDER_LAPSED, holder + " holds no lease any more")
                : Diagnosis.of(AddressSituation.UNSURE, holder + " does not say that it holds the lease");
    }

    private static Diagnosis<AddressSituation> releasing(Evidence evidence, AddressState address, Optional<Sent> take) {
        String holder = String.valueOf(address.holder());
        Plan plan = address.plan();
        if (plan != null && plan.to() != null && evidence.released(holder, address.id(), address.epoch())) {
            return taking(evidence, address, plan.to(), address.epoch() + 1, take);
        }
        if (evidence.released(holder, address.id(), address.epoch())) {
            return free(evidence, address, holder + " has released it");
        }
        return evidence.lapsed(address.id())
                ? free(evidence, address, "every lease of " + holder + " is over")
                : Diagnosis.of(AddressSituation.NOT_FREE_YET, holder + " may still hold it");
    }

    private static Diagnosis<AddressSituation> free(Evidence evidence, AddressState address, String because) {
        return withCandidates(
                evidence, address, AddressSituation.FREE, AddressSituation.FREE_WITHOUT_CANDIDATE, because);
    }

    private static Diagnosis<AddressSituation> taking(
            Evidence evidence, AddressState address, String target, long epoch, Optional<Sent> take) {
        if (evidence.holds(target, address.id(), epoch)) {
            return Diagnosis.of(AddressSituation.TAKEN, target + " holds it");
        }
        if (evidence.released(target, address.id(), epoch)) {
            return Diagnosis.of(AddressSituation.TAKE_FAILED, target + " gave it up again");
        }
        Outcome outcome = take.map(Sent::outcome).orElse(null);
        if (outcome instanceof Outcome.Refused || outcome instanceof Outcome.Failed) {
            return Diagnosis.of(AddressSituation.TAKE_FAILED, target + " " + outcome.describe());
        }
        Plan plan = address.plan();
        return evidence.inPhase(address.id()).compareTo(Deadlines.TAKING) > 0
                ? Diagnosis.of(
                        AddressSituation.OVERDUE,
                        target + " has not taken it in time" + (plan == null ? "" : " (" + plan.id() + ")"))
                : Diagnosis.of(AddressSituation.TAKE_PENDING, target + " is taking it");
    }

    private static Diagnosis<AddressSituation> trouble(
            Evidence evidence, AddressState address, AddressSituation situation, String because) {
        if (mode(evidence, address) != Mode.AUTOMATIC) {
            return Diagnosis.of(AddressSituation.HELD_BACK, because + ", but mode is " + mode(evidence, address));
        }
        return withCandidates(evidence, address, situation, AddressSituation.NO_CANDIDATE, because);
    }

    private static Diagnosis<AddressSituation> withCandidates(
            Evidence evidence, AddressState address, AddressSituation some, AddressSituation none, String because) {
        List<Candidate> candidates = AddressCandidates.of(evidence, address);
        return AddressCandidates.best(candidates).isPresent()
                ? new Diagnosis<>(some, because, candidates)
                : new Diagnosis<>(none, because + ", and no member can take it", candidates);
    }

    private static Mode mode(Evidence evidence, AddressState address) {
        return evidence.spec()
                .group(address.id().group())
                .map(ClusterSpec.Group::mode)
                .orElse(Mode.OBSERVE);
    }

    private static String hears(Evidence evidence) {
        return "the controller hears only " + evidence.freshHosts() + " of "
                + evidence.spec().hosts().size() + " hosts and suspects itself";
    }
}
