package dev.understudy.core.diagnosis;

import dev.understudy.core.ResourceState;
import dev.understudy.core.evidence.Evidence;
import dev.understudy.protocol.Observation.Reach;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/// What the silence of a holder comes to, when the other observers are asked too. One host's silence proves nothing;
/// only where its lease is over for certain, and some member can close its epoch, is there anything to do.
///
/// @param because one clause for the operator
record Silence(Kind kind, String because) {

    enum Kind {
        /// its lease may be alive
        LEASE_MAY_LIVE,
        /// members that consent to it hear it
        CONSENT,
        /// it may live on consent, and nobody is heard who could close its epoch
        NOBODY_TO_CLOSE,
        /// its host refuses connections to the agent's port
        AGENT_DOWN,
        /// its host accepts connections and answers nothing
        HOST_FROZEN,
        /// other hosts reach it
        ASYMMETRIC,
        /// nobody reaches it
        HOST_DOWN
    }

    static Silence of(Evidence evidence, ResourceState resource) {
        String holder = String.valueOf(resource.holder());
        Duration beats = evidence.state().timing().heartbeat().multipliedBy(2);
        if (!evidence.lapsed(resource.id())) {
            return new Silence(Kind.LEASE_MAY_LIVE, holder + " is not heard; its lease may be alive");
        }
        List<String> promising = evidence.promising(resource.id());
        if (!promising.isEmpty() && evidence.sinceLapse(resource.id()).compareTo(beats) < 0) {
            return new Silence(Kind.LEASE_MAY_LIVE, holder + " is not heard; promises to it run out");
        }
        if (!promising.isEmpty()) {
            return new Silence(
                    Kind.CONSENT,
                    holder + " is not heard here, and " + String.join(", ", promising) + " consent to it");
        }
        if (!evidence.vouched(resource.id(), resource.epoch())
                && evidence.state().journaled().circle(resource).isPresent()
                && evidence.heardClosers(resource).isEmpty()) {
            return new Silence(
                    Kind.NOBODY_TO_CLOSE,
                    holder + " is not heard, may live on consent, and no member that could end that is heard"
                            + evidence.standing(resource).stream()
                                    .map(clause -> "; " + clause)
                                    .collect(Collectors.joining()));
        }
        Map<String, Reach> eyes = evidence.eyesOn(holder);
        String because = holder + " is not heard and its lease is over; "
                + (eyes.isEmpty() ? "no other host watches it" : "other hosts see " + eyes);
        if (eyes.containsValue(Reach.ANSWERS)) {
            return new Silence(Kind.ASYMMETRIC, because);
        }
        if (eyes.containsValue(Reach.REFUSES)) {
            return new Silence(Kind.AGENT_DOWN, because);
        }
        return new Silence(eyes.containsValue(Reach.HANGS) ? Kind.HOST_FROZEN : Kind.HOST_DOWN, because);
    }
}
