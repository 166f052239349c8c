package dev.understudy.protocol;

import org.jspecify.annotations.Nullable;

/// A consent that needs no renewal: a member whose agent is stopped cleanly leaves it with the holder of the epoch
/// that it has promised, and is bound by it without an end until it has taken it back (DESIGN section 4).
///
/// The rules, each of which a test takes out:
///
/// 1. It is on the member's disk before the holder is told, and told in an answer to the holder's own question, so that
///    a holder counts none that its member does not know of, and an answer to an earlier run of the holder is lost.
/// 2. While it is in force the member refuses what would break a promise, whoever orders it, and is no closer of the
///    epoch, whatever its floor says (S5).
/// 3. A member that is started again takes it back in the answer to the first question, beside an ordinary consent.
///    It is free of it only when a *later question* of the holder says that the holder knows: what the holder had
///    counted on until then ends within `ttl`, so the member is bound by an ordinary promise for that long, also
///    when it has closed the epoch.
/// 4. Nothing else frees it but proof that the epoch is over without its doing: the leader's word that the epoch was
///    released, vouched for, or closed by another member; or a question of a holder of a higher epoch.
/// 5. The holder keeps what it counts in memory only. Lost with a restart of its agent, it is asked for again.
///
/// What is said of it may arrive late and out of order: numbers rise, and for one number the withdrawal is the later
/// word. Whoever hears of two keeps the later one.
///
/// @param number of the member's standing consents for this resource, from 1
/// @param withdrawn whether the member has taken it back
public record StandingConsent(long number, boolean withdrawn) implements Comparable<StandingConsent> {

    public StandingConsent {
        if (number < 1) {
            throw new IllegalArgumentException("a standing consent's number is at least 1, not " + number);
        }
    }

    /// The next one of a member that has given `last` before, or none.
    static StandingConsent after(@Nullable StandingConsent last) {
        return new StandingConsent(last == null ? 1 : last.number() + 1, false);
    }

    /// The same one, taken back.
    public StandingConsent taken() {
        return new StandingConsent(number, true);
    }

    static boolean inForce(@Nullable StandingConsent some) {
        return some != null && !some.withdrawn();
    }

    @Override
    public int compareTo(StandingConsent other) {
        int byNumber = Long.compare(number, other.number);
        return byNumber != 0 ? byNumber : Boolean.compare(withdrawn, other.withdrawn);
    }
}
