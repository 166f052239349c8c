package dev.understudy.core;

import dev.understudy.protocol.Command;
import dev.understudy.protocol.Outcome;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// How a staged agent answers orders about copies, and which it got. Everything works at once unless a test says
/// otherwise.
final class StagedCopy {

    final List<Command> ordered = new ArrayList<>();
    private final Map<String, String> failing = new HashMap<>();
    private final Set<String> held = new HashSet<>();

    static boolean isCopy(Command command) {
        return command instanceof Command.OfferCopy
                || command instanceof Command.ReceiveCopy
                || command instanceof Command.AdoptCopy
                || command instanceof Command.EndCopy;
    }

    /// From now on such orders fail.
    void fail(String verb, String reason) {
        failing.put(verb, reason);
    }

    void work(String verb) {
        failing.remove(verb);
        held.remove(verb);
    }

    /// From now on such orders are not answered.
    void hold(String verb) {
        held.add(verb);
    }

    List<String> verbs() {
        return ordered.stream().map(Command::verb).distinct().toList();
    }

    /// Null while it is being carried out.
    @Nullable
    Outcome answer(Command command) {
        ordered.add(command);
        if (held.contains(command.verb())) {
            return null;
        }
        String reason = failing.get(command.verb());
        if (reason != null) {
            return new Outcome.Failed(reason);
        }
        return command instanceof Command.OfferCopy
                ? new Outcome.Done(Map.of(Command.OfferCopy.PORT, "7444", Command.OfferCopy.BYTES, "1000000"))
                : Outcome.Done.withoutFacts();
    }
}
