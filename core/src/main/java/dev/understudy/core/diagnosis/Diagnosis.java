package dev.understudy.core.diagnosis;

import dev.understudy.core.Event.Candidate;
import java.util.List;

/// The one situation that the evidence adds up to, in words, and the candidates that were considered for it.
///
/// @param because what in particular was seen, for people; part of the event's text
public record Diagnosis<S extends Enum<S>>(S situation, String because, List<Candidate> candidates) {
    public Diagnosis {
        candidates = List.copyOf(candidates);
    }

    static <S extends Enum<S>> Diagnosis<S> of(S situation, String because) {
        return new Diagnosis<>(situation, because, List.of());
    }
}
