package dev.understudy.core;

import dev.understudy.protocol.CopyTicket;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A member of a database group whose data are being replaced by a copy of another member's. Journaled whole at each
/// step, so that another leader goes on with it. While it lasts the member is quarantined: no candidate, and told to
/// follow nobody.
///
/// @param id `R` and the number of the event that began it
/// @param host whose data are replaced
/// @param wanted the donor that the operator named, null for the best
/// @param donor of the present attempt, null until there is one
/// @param bytesPerSecond at most so many leave the donor, 0 for no limit
/// @param attempt from 1; each begins from nothing, with a token of its own
/// @param tokens one for each attempt ([CopyTicket])
/// @param by who asked for it
/// @param earlier why it was quarantined before, empty if it was not
public record Rebuild(
        String id,
        String host,
        Phase phase,
        @Nullable String wanted,
        @Nullable String donor,
        long bytesPerSecond,
        int attempt,
        List<String> tokens,
        String by,
        String earlier) {

    /// How often it is tried: so many tokens are made.
    public static final int ATTEMPTS = 3;

    public enum Phase {
        /// it leaves the promotable members and the ackers; then a donor is chosen
        LEAVING,
        /// a copy of the donor's data is made on it, beside its own
        COPYING,
        /// its server is stopped, and started with the copy
        ADOPTING,
        /// it is told to follow, as any member is
        FOLLOWING,
        /// an operator ended it: what came of the copy is removed
        CANCELLING,
        /// nothing is left to do
        OVER
    }

    public Rebuild {
        tokens = List.copyOf(tokens);
        if (attempt < 1 || attempt > tokens.size()) {
            throw new IllegalArgumentException("attempt " + attempt + " of " + tokens.size());
        }
    }

    public boolean isLastAttempt() {
        return attempt == tokens.size();
    }

    public CopyTicket ticket() {
        return new CopyTicket(id + "." + attempt, tokens.get(attempt - 1));
    }

    public Rebuild in(Phase next) {
        return new Rebuild(id, host, next, wanted, donor, bytesPerSecond, attempt, tokens, by, earlier);
    }

    public Rebuild from(String chosen) {
        return new Rebuild(id, host, phase, wanted, chosen, bytesPerSecond, attempt, tokens, by, earlier);
    }

    public Rebuild again() {
        return new Rebuild(id, host, phase, wanted, null, bytesPerSecond, attempt + 1, tokens, by, earlier);
    }

    /// Without the tokens: this may stand in a log.
    @Override
    public String toString() {
        return "Rebuild[" + id + " " + host + " from " + donor + ", " + phase + ", attempt " + attempt + "]";
    }
}
