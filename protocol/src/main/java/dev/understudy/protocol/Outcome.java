package dev.understudy.protocol;

import java.util.Map;

/// How an agent answers a command. Errors of operation are values.
public sealed interface Outcome {

    /// The work is done, and `facts` says what the controller needs to go on (such as `received`, a GTID list).
    record Done(Map<String, String> facts) implements Outcome {
        public Done {
            facts = Map.copyOf(facts);
        }

        public static Done withoutFacts() {
            return new Done(Map.of());
        }
    }

    /// Nothing was touched: the command is stale, the lease is not live, or a rule forbids it.
    ///
    /// @param code one word for tables: `stale`, `lease`, `diverged`, `unsupported`, `busy`
    record Refused(String code, String reason) implements Outcome {}

    /// It was tried and did not work; the reason names what was left.
    record Failed(String reason) implements Outcome {}

    /// It cannot be told whether it was done (the agent restarted, a time-out in the middle): ask again.
    record Unknown(String reason) implements Outcome {}

    /// A short line for logs: `done`, `refused stale: …`.
    default String describe() {
        return switch (this) {
            case Done done -> done.facts().isEmpty() ? "done" : "done " + new java.util.TreeMap<>(done.facts());
            case Refused refused -> "refused " + refused.code() + ": " + refused.reason();
            case Failed failed -> "failed: " + failed.reason();
            case Unknown unknown -> "unknown: " + unknown.reason();
        };
    }
}
