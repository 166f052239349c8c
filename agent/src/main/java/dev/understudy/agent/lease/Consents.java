package dev.understudy.agent.lease;

import dev.understudy.protocol.AgentMessage.LeaseReport;
import dev.understudy.protocol.LeaseHolder;
import dev.understudy.protocol.LeaseHolder.Floor;
import dev.understudy.protocol.LeaseHolder.Lease;
import dev.understudy.protocol.LeaseHolder.Question;
import dev.understudy.protocol.Moment;
import dev.understudy.protocol.Outcome;
import dev.understudy.protocol.PeerMessage.Consent;
import dev.understudy.protocol.PeerMessage.ConsentRequest;
import dev.understudy.protocol.ResourceId;
import dev.understudy.protocol.StandingConsent;
import dev.understudy.protocol.TimingProfile;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Both sides of consent around the [LeaseHolder] (S5–S7): what a holder asks the members of its circles with every
/// heartbeat, whether a controller is in reach or not, and what a member answers. Confined to the lease thread.
final class Consents {

    private static final Logger LOG = LoggerFactory.getLogger(Consents.class);

    private final LeaseHolder holder;
    private final String host;
    private final PeerAsker asker;
    private final Set<ResourceId> promised = new HashSet<>();
    private @Nullable Leaving leaving;

    /// This agent is being stopped: which holders do not count its standing consent yet.
    private record Leaving(Set<ResourceId> awaited, CompletableFuture<Boolean> counted) {}

    /// @param host this host's name
    Consents(LeaseHolder holder, String host, PeerAsker asker) {
        this.holder = holder;
        this.host = host;
        this.asker = asker;
    }

    /// Whom to ask now.
    List<Question> questions(Predicate<ResourceId> which, Moment now) {
        return holder.questions(now).stream()
                .filter(question -> which.test(question.resource()))
                .toList();
    }

    /// Asks. The number is known to the holder already, with a moment before this call (S1).
    ///
    /// @param answered called from any thread: it hands the answer to [#answered] on the lease thread
    void ask(
            List<Question> questions, String cluster, long number, long term, TimingProfile timing, Answered answered) {
        for (Question question : questions) {
            for (String member : question.members()) {
                ConsentRequest request = new ConsentRequest(
                        cluster,
                        host,
                        question.resource(),
                        question.epoch(),
                        number,
                        term,
                        timing.ttl().toMillis(),
                        question.standing().get(member));
                asker.ask(
                        member,
                        request,
                        timing.heartbeat().multipliedBy(2),
                        consent -> answered.by(member, request, consent));
            }
        }
    }

    /// A member's answer to a question.
    @FunctionalInterface
    interface Answered {
        void by(String member, ConsentRequest request, Consent consent);
    }

    /// A member answered: the lease that lives on now, if that was the last consent that it needed.
    Optional<Lease> answered(String member, ConsentRequest request, Consent consent, Moment now) {
        ResourceId resource = request.resource();
        Duration ttl = Duration.ofMillis(request.ttlMillis());
        Optional<Lease> fresh = consent.granted()
                ? holder.consented(member, resource, request.epoch(), request.seq(), ttl, now)
                : Optional.empty();
        StandingConsent word = consent.standing();
        if (word == null) {
            return fresh;
        }
        List<String> before = holder.standing(resource);
        Optional<Lease> standing = holder.stands(member, resource, request.epoch(), word, ttl, now);
        if (!holder.standing(resource).equals(before)) {
            LOG.info(
                    "event=standing-consent resource={} epoch={} member={} counts={}",
                    resource,
                    request.epoch(),
                    member,
                    !word.withdrawn());
        }
        return standing.or(() -> fresh);
    }

    /// A holder asks this host. The answer is given when the promise is on disk (S3), and so is the standing consent
    /// that an agent leaves when it is being stopped.
    ///
    /// @param persist writes the floors; false if they are not known to be on disk
    Consent asked(ConsentRequest request, TimingProfile timing, boolean mute, BooleanSupplier persist, Moment now) {
        if (mute) {
            return answer(request, "mute: what this host promised before is not known", null);
        }
        ResourceId resource = request.resource();
        Duration length = timing.lapseAfter(Duration.ofMillis(request.ttlMillis()));
        long stood = holder.standsFor(resource);
        Optional<Outcome.Refused> refused =
                holder.consent(resource, request.epoch(), request.term(), request.standing(), length, now);
        if (refused.isEmpty()) {
            promised.add(resource);
            if (leaving != null) {
                holder.stand(resource, request.epoch(), now);
            }
        }
        long stands = holder.standsFor(resource);
        boolean written = persist.getAsBoolean();
        if (stands != stood) {
            LOG.info(
                    "event={} resource={} epoch={} holder={}",
                    stands == 0 ? "standing-consent-taken-back" : "standing-consent-left",
                    resource,
                    Math.max(stood, stands),
                    request.holder());
        }
        if (!written) {
            return answer(request, "disk: the promise cannot be written", null);
        }
        StandingConsent word = holder.word(resource, request.epoch()).orElse(null);
        counted(resource, request.standing(), word);
        return answer(request, refused.map(r -> r.code() + ": " + r.reason()).orElse(""), word);
    }

    /// This agent is being stopped cleanly: from now on every consent that it gives is a standing one.
    ///
    /// @return completes with true when every holder that has this host's promise counts it, at once if there is
    /// none
    CompletableFuture<Boolean> leave(Moment now) {
        Set<ResourceId> awaited = new HashSet<>();
        for (Floor floor : holder.floors().resources()) {
            if (floor.promised() > 0 && floor.promised() == floor.epoch() && holder.promised(floor.resource(), now)) {
                awaited.add(floor.resource());
            }
        }
        CompletableFuture<Boolean> counted = new CompletableFuture<>();
        leaving = new Leaving(awaited, counted);
        if (awaited.isEmpty()) {
            counted.complete(true);
        }
        return counted;
    }

    private void counted(ResourceId resource, @Nullable StandingConsent known, @Nullable StandingConsent given) {
        if (leaving != null && known != null && given != null && known.compareTo(given) >= 0) {
            leaving.awaited().remove(resource);
            if (leaving.awaited().isEmpty()) {
                leaving.counted().complete(true);
            }
        }
    }

    /// Promises of an earlier run bind this one until the given moment.
    void restored(Moment end, Moment now) {
        holder.promisesEnd(end);
        holder.report(now).stream().filter(LeaseReport::promised).forEach(r -> promised.add(r.resource()));
        holder.report(now).stream()
                .filter(LeaseReport::stands)
                .forEach(
                        r -> LOG.info("event=standing-consent-binds resource={} epoch={}", r.resource(), r.standing()));
    }

    /// Whether a promise ran out, or was given back, since the last call: a controller may be waiting for it.
    boolean someRanOut(Moment now) {
        return promised.removeIf(resource -> !holder.promised(resource, now));
    }

    /// The member consents to no holder of this epoch any more.
    static boolean saysClosed(Consent consent) {
        return !consent.granted() && consent.reason().startsWith(LeaseHolder.CLOSED);
    }

    private static Consent answer(ConsentRequest request, String refusal, @Nullable StandingConsent standing) {
        return new Consent(request.resource(), request.epoch(), request.seq(), refusal.isEmpty(), refusal, standing);
    }
}
