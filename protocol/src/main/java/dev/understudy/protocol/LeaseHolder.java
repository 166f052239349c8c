package dev.understudy.protocol;

import dev.understudy.protocol.AgentMessage.LeaseReport;
import dev.understudy.protocol.ControllerMessage.Grant;
import dev.understudy.protocol.ControllerMessage.Order;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// The agent's half of the lease protocol. The controller's half is [LeaseGrantor].
///
/// A lease's deadline is counted from the sending of the heartbeat that was acknowledged (S1), so it always ends
/// before the controller believes it over. A renewal never revives a lease that has expired: only a new epoch does.
/// Orders with an older term or epoch are refused (S2).
///
/// While no controller is in reach a lease lives on the consent of every member of its [Circle] ([#consented]). The
/// same class is the member's side: [#consent] promises a holder that this host will not be promoted, and
/// [#ordered] refuses what would break a live promise (S5, S6). A holder is sure of a consent for `ttl` from
/// *asking*, the member is bound for `ttl × (1 + drift) + slack` from *answering*: the holder's part always ends
/// first. A member whose agent is stopped cleanly leaves a [StandingConsent], which binds it without an end.
///
/// Not thread-safe: confined to the agent's lease thread. Time comes in as a value. What [#floors()] returns must
/// be on disk before anything that follows from it is answered (S3).
public final class LeaseHolder {

    /// How many sent heartbeats are remembered; an acknowledgement of an older one is ignored.
    public static final int REMEMBERED_HEARTBEATS = 512;

    /// The code of a refusal to consent to an epoch that is closed.
    public static final String CLOSED = "closed";

    private final TreeMap<Long, Moment> sent = new TreeMap<>();
    private final Map<ResourceId, Footing> footings = new TreeMap<>();
    /// of which the standing consent was left by this run: what an earlier one left is taken back
    private final Set<ResourceId> givenHere = new HashSet<>();

    private long highestTerm;

    /// Where this host stands with one resource.
    ///
    /// @param consents when the latest question that the member answered with yes was sent, by member
    /// @param standing the latest that the holder knows of each member's standing consent
    /// @param given the latest standing consent of this host, as a member
    private record Footing(
            long epoch,
            long released,
            @Nullable Lease lease,
            @Nullable Circle circle,
            Map<String, Moment> consents,
            Map<String, StandingConsent> standing,
            @Nullable Promise promise,
            @Nullable StandingConsent given) {

        static final Footing NONE = new Footing(0, 0, null, null, Map.of(), Map.of(), null, null);

        Footing seen(long newEpoch) {
            return new Footing(Math.max(epoch, newEpoch), released, lease, circle, consents, standing, promise, given);
        }

        Footing with(Lease next) {
            return new Footing(epoch, released, next, circle, consents, standing, promise, given);
        }

        Footing with(@Nullable Promise next) {
            return new Footing(epoch, released, lease, circle, consents, standing, next, given);
        }

        Footing with(@Nullable StandingConsent next) {
            return new Footing(epoch, released, lease, circle, consents, standing, promise, next);
        }

        /// What is known of a leaver's standing consent is kept: its late words must not count if it comes back.
        Footing with(Circle next) {
            Map<String, Moment> still = new TreeMap<>(consents);
            still.keySet().retainAll(next.members());
            return new Footing(epoch, released, lease, next, still, standing, promise, given);
        }

        Footing consentedBy(String member, Moment asked) {
            Map<String, Moment> more = new TreeMap<>(consents);
            more.merge(member, asked, Moment::latest);
            return new Footing(epoch, released, lease, circle, more, standing, promise, given);
        }

        Footing standsBy(String member, StandingConsent word) {
            Map<String, StandingConsent> more = new TreeMap<>(standing);
            more.merge(member, word, (known, heard) -> known.compareTo(heard) >= 0 ? known : heard);
            return new Footing(epoch, released, lease, circle, consents, more, promise, given);
        }

        /// The members of the circle whose fresh consent is needed.
        List<String> needed() {
            return circle == null
                    ? List.of()
                    : circle.members().stream()
                            .filter(m -> !StandingConsent.inForce(standing.get(m)))
                            .toList();
        }

        /// This host is bound without an end.
        boolean stands() {
            return StandingConsent.inForce(given);
        }

        boolean boundAt(Moment now) {
            return stands() || (promise != null && promise.liveAt(now));
        }

        /// Free of the standing consent, if there is one; bound as the promise says.
        Footing free() {
            return given == null ? this : with(given.taken());
        }
    }

    /// What this host has promised the holder of an epoch.
    ///
    /// @param until null while it is not known: a restarted agent that has not heard its timing yet
    private record Promise(long epoch, @Nullable Moment until) {
        boolean liveAt(Moment now) {
            return until == null || now.isBefore(until);
        }
    }

    /// A lease that this host has been given. It is live strictly before its deadline.
    public record Lease(ResourceId resource, long epoch, Moment deadline) {
        public boolean liveAt(Moment now) {
            return now.isBefore(deadline);
        }
    }

    /// The durable part: what an agent must remember over a restart of itself or its host.
    public record Floors(long highestTerm, List<Floor> resources) {
        public Floors {
            resources = List.copyOf(resources);
        }
    }

    /// @param promised the highest epoch whose holder this host has given its consent, 0 for none
    /// @param circle the circle that this host counts as holder of `epoch`, null for none
    /// @param standing the latest standing consent of this host, to the holder of the epoch `promised`; null if it
    /// has given none
    public record Floor(
            ResourceId resource,
            long epoch,
            long released,
            long promised,
            @Nullable Circle circle,
            @Nullable StandingConsent standing) {
        /// A floor of a host that left no standing consent.
        public Floor(ResourceId resource, long epoch, long released, long promised, @Nullable Circle circle) {
            this(resource, epoch, released, promised, circle, null);
        }

        /// A floor of a host that consented to nobody.
        public Floor(ResourceId resource, long epoch, long released) {
            this(resource, epoch, released, 0, null, null);
        }
    }

    /// What became of an order.
    public sealed interface Verdict {
        /// Do it. `deadline` is the end of the lease that the command takes, or the order's own end of validity.
        record Accepted(Moment deadline) implements Verdict {}

        record Rejected(Outcome.Refused outcome) implements Verdict {}
    }

    /// What was promised before a restart counts as alive until [#promisesEnd] says when it ends.
    public LeaseHolder(Floors floors) {
        highestTerm = floors.highestTerm();
        for (Floor floor : floors.resources()) {
            Promise promise = floor.promised() > 0 ? new Promise(floor.promised(), null) : null;
            footings.put(
                    floor.resource(),
                    new Footing(
                            floor.epoch(),
                            floor.released(),
                            null,
                            floor.circle(),
                            Map.of(),
                            Map.of(),
                            promise,
                            floor.standing()));
        }
    }

    /// Promises of an earlier run of this agent end at the given moment: its start plus the length of a promise.
    public void promisesEnd(Moment end) {
        footings.replaceAll((_, s) -> s.promise() != null && s.promise().until() == null
                ? s.with(new Promise(s.promise().epoch(), end))
                : s);
    }

    /// A heartbeat is about to be sent. Call before the bytes leave the process.
    public void heartbeatSent(long seq, Moment now) {
        sent.put(seq, now);
        while (sent.size() > REMEMBERED_HEARTBEATS) {
            sent.pollFirstEntry();
        }
    }

    /// The connection's incarnation changed: acknowledgements of earlier heartbeats must not be counted.
    public void forgetHeartbeats() {
        sent.clear();
    }

    /// An acknowledgement arrived: returns the leases that it renewed, with their new deadlines.
    public List<Lease> acknowledged(long seq, long term, Collection<Grant> grants, Moment now) {
        Moment sentAt = sent.get(seq);
        if (sentAt == null || term < highestTerm) {
            return List.of();
        }
        highestTerm = Math.max(highestTerm, term);
        List<Lease> renewed = new ArrayList<>();
        for (Grant grant : grants) {
            Footing footing = footing(grant.resource());
            Lease lease = footing.lease();
            if (lease == null || lease.epoch() != grant.epoch() || !lease.liveAt(now)) {
                continue; // never revive, never jump epochs
            }
            Moment deadline = sentAt.plus(Duration.ofMillis(grant.ttlMillis()));
            Lease next =
                    new Lease(grant.resource(), grant.epoch(), lease.deadline().latest(deadline));
            Footing after = footing.with(next);
            Circle circle = grant.circle();
            if (circle != null && (footing.circle() == null || footing.circle().version() < circle.version())) {
                after = after.with(circle);
            }
            footings.put(grant.resource(), after);
            renewed.add(next);
        }
        return renewed;
    }

    /// A lease that needs consent now, and of whom.
    ///
    /// @param standing what the holder knows of the members' standing consents; each is told its own
    public record Question(
            ResourceId resource, long epoch, List<String> members, Map<String, StandingConsent> standing) {
        public Question {
            members = List.copyOf(members);
            standing = Map.copyOf(standing);
        }
    }

    /// What the holder has to ask the members of its circles. It asks all the time, not only when no controller is
    /// in reach (S7); [#heartbeatSent] is called with the question's number before the bytes leave the process.
    public List<Question> questions(Moment now) {
        List<Question> questions = new ArrayList<>();
        footings.forEach((resource, s) -> {
            if (s.lease() != null
                    && s.lease().liveAt(now)
                    && s.circle() != null
                    && !s.circle().members().isEmpty()) {
                questions.add(
                        new Question(resource, s.lease().epoch(), s.circle().members(), s.standing()));
            }
        });
        return questions;
    }

    /// A member consented to the question with that number. Renews the lease when every member of the circle has: to
    /// `ttl` after the sending of the oldest question that counts.
    public Optional<Lease> consented(
            String member, ResourceId resource, long epoch, long seq, Duration ttl, Moment now) {
        Moment asked = sent.get(seq);
        Footing footing = footing(resource);
        Lease lease = footing.lease();
        Circle circle = footing.circle();
        if (asked == null || lease == null || lease.epoch() != epoch || !lease.liveAt(now) || circle == null) {
            return Optional.empty();
        }
        if (!circle.members().contains(member)) {
            return Optional.empty();
        }
        Footing after = footing.consentedBy(member, asked);
        footings.put(resource, after);
        return renewIfAllConsent(resource, after, ttl, now);
    }

    /// A member's answer said this of its standing consent. Called after [#consented] for the same answer, so that a
    /// member that takes it back and consents is not missed in between. Counts for the lease's own epoch only; the
    /// epoch is that of the question which was answered.
    public Optional<Lease> stands(
            String member, ResourceId resource, long epoch, StandingConsent word, Duration ttl, Moment now) {
        Footing footing = footing(resource);
        Lease lease = footing.lease();
        if (lease == null || lease.epoch() != epoch || !lease.liveAt(now)) {
            return Optional.empty();
        }
        Footing after = footing.standsBy(member, word);
        footings.put(resource, after);
        return renewIfAllConsent(resource, after, ttl, now);
    }

    /// The members on whose standing consent this host counts as holder.
    public List<String> standing(ResourceId resource) {
        Footing footing = footing(resource);
        return footing.circle() == null || footing.lease() == null
                ? List.of()
                : footing.circle().members().stream()
                        .filter(m -> StandingConsent.inForce(footing.standing().get(m)))
                        .toList();
    }

    private Optional<Lease> renewIfAllConsent(ResourceId resource, Footing footing, Duration ttl, Moment now) {
        List<String> needed = footing.needed();
        if (footing.circle() == null || !footing.consents().keySet().containsAll(needed)) {
            return Optional.empty();
        }
        Moment oldest = needed.stream()
                .map(m -> footing.consents().getOrDefault(m, now))
                .min(Moment::compareTo)
                .orElse(now); // a standing consent is as good as one that is asked for now
        return renew(resource, footing, oldest.plus(ttl));
    }

    /// Renews the leases whose circle is known to be empty, or stands as a whole: nobody else could be promoted
    /// (S7).
    public List<Lease> alone(Duration ttl, Moment now) {
        return alone(ttl, now, _ -> true);
    }

    /// Like [#alone(Duration, Moment)] for some resources: not for those that are being given up.
    public List<Lease> alone(Duration ttl, Moment now, Predicate<ResourceId> which) {
        List<Lease> renewed = new ArrayList<>();
        for (Map.Entry<ResourceId, Footing> entry : List.copyOf(footings.entrySet())) {
            Footing s = entry.getValue();
            if (which.test(entry.getKey())
                    && s.lease() != null
                    && s.lease().liveAt(now)
                    && s.circle() != null
                    && s.needed().isEmpty()) {
                renew(entry.getKey(), s, now.plus(ttl)).ifPresent(renewed::add);
            }
        }
        return renewed;
    }

    /// Renews leases that nobody else renews: of resources that an isolated holder keeps (`when_isolated: keep`;
    /// two hosts may answer then). Those whose consent and grants come are left to them: only what is left of a
    /// lease that is shorter than two thirds of `ttl` is renewed. Never what this host has heard to be superseded.
    ///
    /// @param which the resources that are kept, while no controller is in reach
    public List<Lease> keep(Duration ttl, Moment now, Predicate<ResourceId> which) {
        Moment soon = now.plus(ttl.multipliedBy(2).dividedBy(3));
        List<Lease> renewed = new ArrayList<>();
        for (Map.Entry<ResourceId, Footing> entry : List.copyOf(footings.entrySet())) {
            Footing f = entry.getValue();
            Lease lease = f.lease();
            if (lease != null
                    && which.test(entry.getKey())
                    && lease.liveAt(now)
                    && lease.deadline().isBefore(soon)
                    && !superseded(entry.getKey())) {
                renew(entry.getKey(), f, now.plus(ttl)).ifPresent(renewed::add);
            }
        }
        return renewed;
    }

    /// Whether this host has heard of a higher epoch than that of the lease it has.
    public boolean superseded(ResourceId resource) {
        Footing footing = footing(resource);
        return footing.lease() != null && footing.epoch() > footing.lease().epoch();
    }

    private Optional<Lease> renew(ResourceId resource, Footing footing, Moment deadline) {
        Lease lease = footing.lease();
        if (lease == null || !lease.deadline().isBefore(deadline)) {
            return Optional.empty();
        }
        Lease next = new Lease(resource, lease.epoch(), deadline);
        footings.put(resource, footing.with(next));
        return Optional.of(next);
    }

    /// A holder asks for consent, and knows of no standing one.
    public Optional<Outcome.Refused> consent(ResourceId resource, long epoch, long term, Duration length, Moment now) {
        return consent(resource, epoch, term, null, length, now);
    }

    /// A holder asks for consent. Empty: promised, for `length` from now (`ttl × (1 + drift) + slack`); what
    /// [#floors()] returns must be on disk before the answer leaves. Otherwise why not: the epoch is closed here,
    /// or this host holds the resource itself. Either way the question may free this host of its standing consent.
    ///
    /// @param known the latest that the holder knows of this host's standing consent
    public Optional<Outcome.Refused> consent(
            ResourceId resource, long epoch, long term, @Nullable StandingConsent known, Duration length, Moment now) {
        heardOfStanding(resource, epoch, known, length, now);
        Footing footing = footing(resource);
        if (epoch < footing.epoch()) {
            return Optional.of(new Outcome.Refused(CLOSED, "epoch " + epoch + " is closed: " + footing.epoch()));
        }
        if (epoch <= footing.released() || footing.lease() != null) {
            return Optional.of(new Outcome.Refused("stale", "this host has been given epoch " + epoch + " itself"));
        }
        highestTerm = Math.max(highestTerm, term);
        footings.put(resource, footing.seen(epoch).with(longer(footing.promise(), epoch, now.plus(length))));
        return Optional.empty();
    }

    private static Promise longer(@Nullable Promise before, long epoch, Moment until) {
        return new Promise(epoch, before == null || before.until() == null ? until : until.latest(before.until()));
    }

    /// The holder that has this host's standing consent knows that it was taken back: what it counted on lasts for
    /// one ordinary consent from now at most. Or there is a holder of a higher epoch, so the one that has it is
    /// gone.
    private void heardOfStanding(
            ResourceId resource, long epoch, @Nullable StandingConsent known, Duration length, Moment now) {
        Footing footing = footing(resource);
        StandingConsent given = footing.given();
        Promise promise = footing.promise();
        if (given == null || given.withdrawn() || promise == null) {
            return;
        }
        if (epoch > promise.epoch()) {
            footings.put(resource, footing.free());
        } else if (epoch == promise.epoch() && known != null && known.compareTo(given.taken()) >= 0) {
            footings.put(resource, footing.free().with(longer(promise, epoch, now.plus(length))));
        }
    }

    /// This host's agent is being stopped cleanly: the promise to the holder of that epoch becomes a standing
    /// consent. What [#floors()] returns must be on disk before the holder is told. Empty if there is no live
    /// promise to it, or the epoch is closed here.
    public Optional<StandingConsent> stand(ResourceId resource, long epoch, Moment now) {
        Footing footing = footing(resource);
        Promise promise = footing.promise();
        if (promise == null || promise.epoch() != epoch || footing.epoch() != epoch || !promise.liveAt(now)) {
            return Optional.empty();
        }
        StandingConsent given = footing.given();
        if (given == null || given.withdrawn() || !givenHere.contains(resource)) {
            given = StandingConsent.after(given);
            givenHere.add(resource);
            footings.put(resource, footing.with(given));
        }
        return Optional.of(given);
    }

    /// What an answer to the holder of that epoch says of this host's standing consent: the one that it has just
    /// left, or that it takes back one that an earlier run of this agent left.
    public Optional<StandingConsent> word(ResourceId resource, long epoch) {
        StandingConsent given = footing(resource).given();
        if (given == null || !givenHere.contains(resource)) {
            return Optional.ofNullable(given).map(StandingConsent::taken);
        }
        return given.withdrawn() || standsFor(resource) == epoch ? Optional.of(given) : Optional.empty();
    }

    /// Whether this host is bound by a promise, or by a standing consent, now.
    public boolean promised(ResourceId resource, Moment now) {
        return footing(resource).boundAt(now);
    }

    /// The epoch to whose holder this host has left a standing consent that is in force, 0 for none.
    public long standsFor(ResourceId resource) {
        Footing footing = footing(resource);
        Promise promise = footing.promise();
        return footing.stands() && promise != null ? promise.epoch() : 0;
    }

    /// An order arrived: checks term, epoch and, for a take, that its lease would be live. Raises the epoch floor.
    public Verdict ordered(Order order, Moment now) {
        Command command = order.command();
        Footing footing = footing(command.resource());
        if (order.term() < highestTerm) {
            return reject("stale", "term " + order.term() + " is older than " + highestTerm);
        }
        if (command.epoch() < footing.epoch()) {
            return reject("stale", "epoch " + command.epoch() + " is older than " + footing.epoch());
        }
        if (command.takesLease() && command.epoch() <= footing.released()) {
            return reject("stale", "epoch " + command.epoch() + " is released");
        }
        Promise promise = footing.promise();
        if (promise != null && promise.epoch() <= order.released()) {
            footing = footing.free().with((Promise) null); // that epoch is over: nothing is left to protect
            promise = null;
        }
        if (promise != null && footing.boundAt(now) && promise.epoch() < command.epoch() && command.breaksPromise()) {
            return reject(
                    "promised",
                    "the holder of epoch " + promise.epoch() + " has this host's "
                            + (footing.stands() ? "standing consent, and has not been spoken with since" : "consent"));
        }
        Moment sentAt = sent.get(order.answers());
        if (sentAt == null) {
            return reject("lease", "heartbeat " + order.answers() + " is not known");
        }
        Moment deadline = sentAt.plus(Duration.ofMillis(order.ttlMillis()));
        if (command.takesLease() && !now.isBefore(deadline)) {
            return reject("lease", "the order came after its lease was over");
        }
        highestTerm = Math.max(highestTerm, order.term());
        footings.put(command.resource(), footing.seen(command.epoch()));
        return new Verdict.Accepted(deadline);
    }

    /// The lease of an accepted take starts. Check [#live] again before each act.
    public void take(ResourceId resource, long epoch, Moment deadline) {
        Footing footing = footing(resource);
        Lease lease = footing.lease();
        if (epoch < footing.epoch() || epoch <= footing.released()) {
            throw new IllegalStateException(
                    "take of " + resource + " at epoch " + epoch + " below the floor " + footing);
        }
        if (lease != null && lease.epoch() == epoch) {
            footings.put(
                    resource,
                    footing.with(new Lease(resource, epoch, lease.deadline().latest(deadline)))); // a repeated order
            return;
        }
        Lease taken = new Lease(resource, epoch, deadline);
        footings.put(
                resource,
                new Footing(
                        epoch,
                        footing.released(),
                        taken,
                        null,
                        Map.of(),
                        Map.of(),
                        null,
                        footing.free().given()));
    }

    /// A restarted agent found its lease alive in the kernel (S9): the deadline is what the kernel enforces.
    /// Its circle is the one on record.
    public void adopt(ResourceId resource, long epoch, Moment deadline) {
        Footing footing = footing(resource);
        take(resource, epoch, deadline);
        if (footing.epoch() == epoch && footing.circle() != null) {
            footings.put(resource, footing(resource).with(footing.circle()));
        }
    }

    /// This host gave the resource up: everything up to the epoch is released.
    public void released(ResourceId resource, long epoch) {
        Footing footing = footing(resource);
        Lease lease = footing.lease();
        boolean over = lease == null || lease.epoch() <= epoch;
        footings.put(
                resource,
                new Footing(
                        Math.max(footing.epoch(), epoch),
                        Math.max(footing.released(), epoch),
                        over ? null : lease,
                        over ? null : footing.circle(),
                        over ? Map.of() : footing.consents(),
                        over ? Map.of() : footing.standing(),
                        footing.promise(),
                        footing.given()));
    }

    /// The leases that are over: the caller fences each and then calls [#released]. Also to be called first after
    /// any gap in the agent's ticks (S8).
    public List<Lease> expired(Moment now) {
        return leases().stream().filter(lease -> !lease.liveAt(now)).toList();
    }

    /// Whether the lease of this epoch is live now.
    public boolean live(ResourceId resource, long epoch, Moment now) {
        Lease lease = footing(resource).lease();
        return lease != null && lease.epoch() == epoch && lease.liveAt(now);
    }

    public Optional<Lease> lease(ResourceId resource) {
        return Optional.ofNullable(footing(resource).lease());
    }

    /// Every lease that was taken and not released, live or not.
    public List<Lease> leases() {
        List<Lease> leases = new ArrayList<>();
        for (Footing footing : footings.values()) {
            if (footing.lease() != null) {
                leases.add(footing.lease());
            }
        }
        return leases;
    }

    public Floors floors() {
        List<Floor> floors = new ArrayList<>();
        footings.forEach((resource, s) -> floors.add(new Floor(
                resource,
                s.epoch(),
                s.released(),
                s.promise() == null ? 0 : s.promise().epoch(),
                s.circle(),
                s.given())));
        return new Floors(highestTerm, floors);
    }

    /// What the next heartbeat says.
    public List<LeaseReport> report(Moment now) {
        List<LeaseReport> reports = new ArrayList<>();
        footings.forEach((resource, s) -> {
            Lease lease = s.lease();
            long held = lease != null && lease.liveAt(now) ? lease.epoch() : 0;
            long circle = s.circle() == null ? 0 : s.circle().version();
            long standing = standsFor(resource);
            reports.add(new LeaseReport(
                    resource, s.epoch(), s.released(), held, s.boundAt(now), circle, standing == 0 ? null : standing));
        });
        return reports;
    }

    private Footing footing(ResourceId resource) {
        return footings.getOrDefault(resource, Footing.NONE);
    }

    private static Verdict reject(String code, String reason) {
        return new Verdict.Rejected(new Outcome.Refused(code, reason));
    }
}
