package dev.understudy.core.notice;

import dev.understudy.core.Event;
import dev.understudy.core.Journaled;
import dev.understudy.core.Operations;
import dev.understudy.protocol.ResourceId;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/// A completed failover, with the steps that led to it.
///
/// @param number of the event that completed it
/// @param steps oldest first
record Handover(ResourceId resource, String from, String to, String cause, Instant at, long number, List<Event> steps) {

    Handover {
        steps = List.copyOf(steps);
    }

    /// Those that were completed by an event after the given one and no longer ago than `oldest`, oldest first.
    static List<Handover> since(Journaled journaled, long handled, Instant oldest) {
        List<Handover> found = new ArrayList<>();
        for (Map.Entry<ResourceId, List<Operations.Failover>> entry :
                journaled.operations().failovers().entrySet()) {
            for (Operations.Failover failover : entry.getValue()) {
                if (failover.at().isBefore(oldest)) {
                    continue;
                }
                journaled.events().stream()
                        .filter(e -> entry.getKey().equals(e.resource())
                                && e.at().equals(failover.at())
                                && failover.to().equals(e.holder())
                                && !e.from().equals(e.to())
                                && number(e) > handled)
                        .reduce((_, last) -> last)
                        .ifPresent(last -> found.add(of(journaled, entry.getKey(), failover, last)));
            }
        }
        found.sort(Comparator.comparingLong(Handover::number));
        return found;
    }

    private static Handover of(Journaled journaled, ResourceId id, Operations.Failover failover, Event last) {
        List<Event> steps = journaled.events().stream()
                .filter(e -> !last.plan().isEmpty() && e.plan().equals(last.plan()) && number(e) <= number(last))
                .toList();
        return new Handover(
                id,
                failover.from(),
                failover.to(),
                failover.cause(),
                failover.at(),
                number(last),
                steps.isEmpty() ? List.of(last) : steps);
    }

    static long number(Event event) {
        return Long.parseLong(event.id().substring(1));
    }

    List<String> topics() {
        return List.of(Symptom.resource(resource), Symptom.host(from));
    }

    String title() {
        return resource + " moved from " + from + " to " + to;
    }

    /// From the event that began it, which comes after the failure was noticed.
    Duration took() {
        return Duration.between(steps.getFirst().at(), at);
    }

    String firstEvent() {
        return steps.getFirst().id();
    }
}
