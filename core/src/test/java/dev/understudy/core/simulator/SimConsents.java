package dev.understudy.core.simulator;

import dev.understudy.protocol.LeaseHolder.Lease;
import dev.understudy.protocol.LeaseHolder.Question;
import dev.understudy.protocol.Moment;
import dev.understudy.protocol.ResourceId;
import dev.understudy.protocol.StandingConsent;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Both sides of consent around the [dev.understudy.protocol.LeaseHolder] (S5–S7): a holder asks with every
/// heartbeat, whether a controller is in reach or not; a member answers when its promise is on disk.
final class SimConsents {

    private final Site site;
    private final SimAgent agent;
    private final Set<ResourceId> promised = new HashSet<>();
    private boolean leaving;

    SimConsents(Site site, SimAgent agent) {
        this.site = site;
        this.agent = agent;
    }

    /// Promises of an earlier run bind this one until then.
    void restored(Moment end) {
        agent.holder.promisesEnd(end);
    }

    /// The round has the number of the heartbeat that has just been numbered.
    void ask(long number) {
        for (Question question : agent.holder.questions(agent.now())) {
            if (!agent.releasing(question.resource())) {
                question.members().forEach(member -> ask(member, question, number));
            }
        }
        for (Lease lease : agent.holder.alone(agent.timing().ttl(), agent.now())) {
            if (!agent.releasing(lease.resource())) {
                agent.renewed(lease);
            }
        }
    }

    private void ask(String member, Question question, long number) {
        long term = agent.holder.floors().highestTerm();
        StandingConsent known = question.standing().get(member);
        Asked asked = new Asked(this, question.resource(), question.epoch(), number, term, known);
        site.network.send(agent.host.name, member, () -> {
            SimAgent other = site.host(member).agent();
            if (other != null) {
                other.task(() -> other.consents.asked(asked));
            }
        });
    }

    private record Asked(
            SimConsents by,
            ResourceId resource,
            long epoch,
            long number,
            long term,
            @Nullable StandingConsent known) {}

    private void asked(Asked question) {
        boolean muted = agent.mute();
        boolean granted = site.has(Mutation.S5_CONSENTS_THOUGH_CLOSED) || (!muted && promise(question));
        if (granted && leaving && !muted) {
            agent.holder.stand(question.resource(), question.epoch(), agent.now());
        }
        boolean told = !muted && agent.persist();
        StandingConsent word =
                told ? agent.holder.word(question.resource(), question.epoch()).orElse(null) : null;
        if (told && leaving && word != null) {
            site.tell(() -> agent.host.name + ": leaves " + word + " to epoch " + question.epoch());
        }
        boolean closed = !muted
                && site.keeps() // nobody else looks at it
                && agent.holder.floors().resources().stream()
                        .anyMatch(f -> f.resource().equals(question.resource()) && f.epoch() > question.epoch());
        if (granted || closed || word != null) {
            SimAgent asker = question.by.agent;
            site.network.send(
                    agent.host.name,
                    asker.host.name,
                    () -> asker.task(() -> {
                        asker.consents.answered(agent.host.name, question, granted, word);
                        if (closed) {
                            asker.heardAgain(question.resource(), false);
                        }
                    }));
        }
    }

    private boolean promise(Asked question) {
        StandingConsent known = site.has(Mutation.S5_TAKES_ITS_STANDING_CONSENT_BACK_ALONE)
                ? agent.holder.word(question.resource(), question.epoch()).orElse(null)
                : question.known();
        boolean refused = agent.holder
                .consent(
                        question.resource(),
                        question.epoch(),
                        question.term(),
                        known,
                        agent.timing().lapseAfter(agent.timing().ttl()),
                        agent.now())
                .isPresent();
        if (refused) {
            return false;
        }
        promised.add(question.resource());
        return agent.persist();
    }

    private void answered(String member, Asked question, boolean granted, @Nullable StandingConsent word) {
        ResourceId resource = question.resource();
        if (agent.releasing(resource)) {
            return;
        }
        if (granted && site.has(Mutation.S7_ONE_CONSENT_FOR_ALL)) {
            site.hosts().forEach(host -> consented(host.name, question));
        }
        if (granted) {
            consented(member, question);
        }
        if (word != null) {
            agent.holder
                    .stands(
                            member,
                            resource,
                            question.epoch(),
                            word,
                            agent.timing().ttl(),
                            agent.now())
                    .ifPresent(agent::renewed);
        }
    }

    private void consented(String member, Asked question) {
        agent.holder
                .consented(
                        member,
                        question.resource(),
                        question.epoch(),
                        question.number(),
                        agent.timing().ttl(),
                        agent.now())
                .ifPresent(agent::renewed);
    }

    /// The agent is being stopped cleanly, without a controller in reach.
    void leave() {
        leaving = true;
    }

    /// Whether a promise ran out, or was given back, since the last call.
    boolean someRanOut() {
        return promised.removeIf(resource -> !agent.holder.promised(resource, agent.now()));
    }
}
