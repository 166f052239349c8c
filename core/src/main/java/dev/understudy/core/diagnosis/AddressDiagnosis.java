package dev.understudy.core.diagnosis;

import dev.understudy.core.Event.Candidate;
import dev.understudy.core.Operations.Restart;
import dev.understudy.core.Plan;
import dev.understudy.core.ResourceState.AddressState;
import dev.understudy.core.State.Sent;
import dev.understudy.core.candidate.AddressCandidates;
import dev.understudy.core.candidate.RecentFailovers;
import dev.understudy.core.evidence.Evidence;
import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.ClusterSpec.Mode;
import dev.understudy.protocol.Health;
import dev.understudy.protocol.Observation;
import dev.understudy.protocol.Outcome;
import dev.understudy.protocol.ServiceState;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

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
        List<String> members = evidence.spec()
                .group(address.id().group())
                .map(ClusterSpec.Group::members)
                .orElse(List.of());
        boolean allHeard = members.stream()
                .allMatch(m -> evidence.fresh(m)
                        && evidence.serverBehind(m, address.id()).isPresent());
        boolean ready = allHeard && ReaderDiagnosis.hasPrimary(evidence, address);
        if (!evidence.lapsed(address.id()) || (!ready && evidence.leading().compareTo(Deadlines.WARMING) < 0)) {
            return Diagnosis.of(AddressSituation.WARMING_UP, "waiting for members and old leases");
        }
        List<String> found = found(evidence, address);
        if (!found.isEmpty()) {
            return found(evidence, address, found);
        }
        if (evidence.mode(address.id().group()) != Mode.AUTOMATIC) {
            return Diagnosis.of(
                    AddressSituation.HELD_BACK,
                    "nobody holds the address, "
                            + evidence.restraint(address.id().group()));
        }
        return withCandidates(
                evidence,
                address,
                AddressSituation.CANDIDATE_READY,
                AddressSituation.NO_CANDIDATE,
                "nobody holds the address");
    }

    /// The members that have the address on their interface, by their own word.
    public static List<String> found(Evidence evidence, AddressState address) {
        return evidence.spec().group(address.id().group()).map(ClusterSpec.Group::members).orElse(List.of()).stream()
                .filter(evidence::fresh)
                .filter(m -> evidence.address(m, address.id())
                        .map(Observation.Address::present)
                        .orElse(false))
                .toList();
    }

    private static Diagnosis<AddressSituation> found(Evidence evidence, AddressState address, List<String> found) {
        String only = found.getFirst();
        List<Candidate> candidates = AddressCandidates.of(evidence, address).stream()
                .map(c -> c.host().equals(only) || !c.eligible()
                        ? c
                        : new Candidate(c.host(), false, only + " has the address"))
                .toList();
        return found.size() == 1 && AddressCandidates.best(candidates).isPresent()
                ? new Diagnosis<>(AddressSituation.ADDRESS_FOUND, only + " has the address and serves", candidates)
                : new Diagnosis<>(AddressSituation.FOUND_AMISS, "the address is on " + found, candidates);
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
            return silent(evidence, address);
        }
        if (evidence.released(holder, address.id(), address.epoch())) {
            Optional<Evidence.Server> seen = evidence.serverBehind(holder, address.id());
            boolean dead = seen.map(b -> b.health() == Health.DOWN).orElse(false);
            Optional<Diagnosis<AddressSituation>> restart = restart(evidence, address, seen);
            if (restart.isPresent()) {
                return restart.get();
            }
            return trouble(
                    evidence,
                    address,
                    dead ? AddressSituation.SERVICE_DOWN : AddressSituation.HOLDER_RELEASED,
                    dead ? on(seen, holder) + " is dead" : holder + " gave the address up by itself");
        }
        Optional<Evidence.Server> seen = evidence.serverBehind(holder, address.id());
        if (seen.map(b -> b.health() == Health.DOWN).orElse(false)) {
            return trouble(evidence, address, AddressSituation.SERVICE_DOWN, on(seen, holder) + " is dead");
        }
        if (evidence.holds(holder, address.id(), address.epoch())) {
            return seen.map(b -> b.health() == Health.UP).orElse(false)
                    ? serving(evidence, address, holder)
                    : answersNobody(evidence, address, holder);
        }
        return evidence.lapsed(address.id())
                ? trouble(evidence, address, AddressSituation.HOLDER_LAPSED, holder + " holds no lease any more")
                : Diagnosis.of(AddressSituation.UNSURE, holder + " does not say that it holds the lease");
    }

    private static String on(Optional<Evidence.Server> server, String holder) {
        return server.map(Evidence.Server::name).orElse("the server") + " on " + holder;
    }

    private static Diagnosis<AddressSituation> silent(Evidence evidence, AddressState address) {
        Silence silence = Silence.of(evidence, address);
        return switch (silence.kind()) {
            case LEASE_MAY_LIVE -> Diagnosis.of(AddressSituation.HOLDER_SILENT, silence.because());
            case CONSENT -> consents(evidence, address, silence);
            case NOBODY_TO_CLOSE -> Diagnosis.of(AddressSituation.CANNOT_CLOSE, silence.because());
            case AGENT_DOWN -> trouble(evidence, address, AddressSituation.AGENT_DOWN, silence.because());
            case HOST_FROZEN -> trouble(evidence, address, AddressSituation.HOST_FROZEN, silence.because());
            case ASYMMETRIC -> trouble(evidence, address, AddressSituation.ASYMMETRIC, silence.because());
            case HOST_DOWN -> trouble(evidence, address, AddressSituation.HOST_DOWN, silence.because());
        };
    }

    /// It lives for those that consent; only what clients see can speak against it.
    private static Diagnosis<AddressSituation> consents(Evidence evidence, AddressState address, Silence silence) {
        return Isolation.of(evidence, address)
                .map(because -> trouble(evidence, address, AddressSituation.ISOLATED, because))
                .orElseGet(() -> Diagnosis.of(AddressSituation.HELD_BY_CONSENT, silence.because()));
    }

    private static Diagnosis<AddressSituation> serving(Evidence evidence, AddressState address, String holder) {
        return Isolation.of(evidence, address)
                .map(because -> trouble(evidence, address, AddressSituation.ISOLATED, because))
                .or(() -> ReaderDiagnosis.of(evidence, address, holder))
                .orElseGet(() -> Diagnosis.of(AddressSituation.SERVING, holder + " serves"));
    }

    /// The process lives and does not answer its socket: hung if that lasts and nobody gets an answer through the
    /// address either (S23: a reload takes less).
    private static Diagnosis<AddressSituation> answersNobody(Evidence evidence, AddressState address, String holder) {
        boolean answers = evidence.pathsTo(address.id(), holder).containsValue(Observation.Reach.ANSWERS);
        Optional<Evidence.Server> seen = evidence.serverBehind(holder, address.id());
        boolean lasts = seen.map(s -> evidence.inStateFor(holder, s.key()).compareTo(Deadlines.HUNG) > 0)
                .orElse(false);
        return lasts && !answers
                ? trouble(evidence, address, AddressSituation.HUNG, on(seen, holder) + " lives and answers nobody")
                : Diagnosis.of(AddressSituation.UNSURE, on(seen, holder) + " does not answer its socket");
    }

    /// Empty when no restart where it died is due, under way or done: then it is trouble. The agent has released the
    /// address before, so nobody holds it meanwhile.
    private static Optional<Diagnosis<AddressSituation>> restart(
            Evidence evidence, AddressState address, Optional<Evidence.Server> seen) {
        if (evidence.readsOf(address.id().group()).isPresent()) {
            return Optional.empty(); // a database is started again beside its primary (DM-10), not for reads
        }
        String holder = String.valueOf(address.holder());
        Optional<Restart> attempt = Restarts.of(evidence, address.id(), holder, address.epoch());
        if (attempt.isEmpty()) {
            boolean died = seen.map(b -> b.service() == ServiceState.ENDED).orElse(false);
            return died && Restarts.allowed(evidence, address.id(), holder)
                    ? Optional.of(Diagnosis.of(
                            AddressSituation.RESTART_DUE,
                            "HAProxy on " + holder + " died (restart "
                                    + (Restarts.used(evidence, address.id(), holder)
                                                    .size()
                                            + 1)
                                    + " of "
                                    + evidence.spec()
                                            .recoveryOf(address.id().group())
                                            .restarts()
                                    + ")"))
                    : Optional.empty();
        }
        if (Restarts.age(evidence, attempt.get()).compareTo(Deadlines.RESTARTING) > 0
                || Restarts.failed(evidence, address.id(), address.epoch(), holder)) {
            return Optional.empty();
        }
        return seen.map(b -> b.health() == Health.UP).orElse(false)
                ? Optional.of(Diagnosis.of(AddressSituation.RESTARTED, "HAProxy on " + holder + " serves again"))
                : Optional.of(Diagnosis.of(AddressSituation.RESTARTING, "HAProxy on " + holder + " is being started"));
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
        return evidence.gone(address)
                ? free(evidence, address, "every lease of " + holder + " is over")
                : Diagnosis.of(AddressSituation.NOT_FREE_YET, holder + " may still hold it");
    }

    private static Diagnosis<AddressSituation> free(Evidence evidence, AddressState address, String because) {
        Plan plan = address.plan();
        List<Candidate> all = AddressCandidates.of(evidence, address);
        Map<String, RecentFailovers.Hold> holds =
                plan != null && plan.kind() == Plan.Kind.FAILOVER ? holds(evidence, address, all) : Map.of();
        List<Candidate> rested = all.stream()
                .map(c -> Optional.ofNullable(holds.get(c.host()))
                        .map(hold -> new Candidate(c.host(), false, hold.because()))
                        .orElse(c))
                .toList();
        // the address is free already: better with a member that failed lately than with nobody
        List<Candidate> candidates = AddressCandidates.best(rested).isPresent() ? rested : all;
        return AddressCandidates.best(candidates).isPresent()
                ? new Diagnosis<>(AddressSituation.FREE, because, candidates)
                : new Diagnosis<>(
                        AddressSituation.FREE_WITHOUT_CANDIDATE, because + ", and no member can take it", candidates);
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
        if ((outcome instanceof Outcome.Refused || outcome instanceof Outcome.Failed) && !Sent.waits(outcome)) {
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
        String group = address.id().group();
        if (evidence.mode(group) != Mode.AUTOMATIC) {
            return Diagnosis.of(AddressSituation.HELD_BACK, because + ", but " + evidence.restraint(group));
        }
        List<Candidate> candidates = AddressCandidates.of(evidence, address);
        Map<String, RecentFailovers.Hold> holds = holds(evidence, address, candidates);
        boolean free = candidates.stream().anyMatch(c -> c.eligible() && !holds.containsKey(c.host()));
        return holds.values().stream()
                .filter(_ -> !free)
                .min(Comparator.comparing(RecentFailovers.Hold::until))
                .map(hold -> new Diagnosis<>(
                        AddressSituation.RECENT_FAILOVER,
                        because + ", but " + hold.because() + "; held back until " + hold.until(),
                        candidates))
                .orElseGet(() -> withCandidates(evidence, address, situation, AddressSituation.NO_CANDIDATE, because));
    }

    /// The eligible candidates that failed as holder too lately.
    private static Map<String, RecentFailovers.Hold> holds(
            Evidence evidence, AddressState address, List<Candidate> candidates) {
        Map<String, RecentFailovers.Hold> holds = new TreeMap<>();
        String holder = String.valueOf(address.holder());
        for (Candidate candidate : candidates) {
            if (candidate.eligible()) {
                String key = evidence.serverBehind(candidate.host(), address.id())
                        .map(Evidence.Server::key)
                        .orElse("");
                RecentFailovers.hold(evidence, address.id(), holder, candidate.host(), key)
                        .ifPresent(hold -> holds.put(candidate.host(), hold));
            }
        }
        return holds;
    }

    private static Diagnosis<AddressSituation> withCandidates(
            Evidence evidence, AddressState address, AddressSituation some, AddressSituation none, String because) {
        List<Candidate> candidates = AddressCandidates.of(evidence, address);
        return AddressCandidates.best(candidates).isPresent()
                ? new Diagnosis<>(some, because, candidates)
                : new Diagnosis<>(none, because + ", and no member can take it", candidates);
    }

    private static String hears(Evidence evidence) {
        return "the controller hears only " + evidence.freshHosts() + " of "
                + evidence.spec().hosts().size() + " hosts and suspects itself";
    }
}
