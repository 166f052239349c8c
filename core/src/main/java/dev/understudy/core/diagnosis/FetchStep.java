package dev.understudy.core.diagnosis;

import dev.understudy.protocol.Outcome;
import java.util.Arrays;
import java.util.Map;

/// What a fetch consists of, in order. The old primary cannot act any more and nobody is writable meanwhile.
public enum FetchStep {
    /// the donor serves only what it has applied
    DONOR_APPLIES("donor-applies", 0),
    /// the one that fetches has nothing left in its relay log, which following another server purges (S18)
    APPLIES("applies", 0),
    /// it follows the donor, having been compared with it (S17)
    FOLLOWS("follows", 1),
    /// it has applied everything that the donor told of
    REACHES("reaches", 2),
    /// it is cut off from the donor and its receiver is stopped: nobody is promoted that still receives
    PARTS("parts", 3),
    /// the old primary is shut out again, which following had ended (S19); it tells its position
    IS_CUT("is-cut", 4);

    private final String word;
    private final int turn;

    FetchStep(String word, int turn) {
        this.word = word;
        this.turn = turn;
    }

    /// Its answer's key, and the end of its order's id.
    public String word() {
        return word;
    }

    public boolean atDonor() {
        return this == DONOR_APPLIES;
    }

    /// Whether everything before it is done.
    ///
    /// @param answers by [#word]
    public boolean isDue(Map<String, Outcome> answers) {
        return Arrays.stream(values())
                .filter(earlier -> earlier.turn < turn)
                .allMatch(earlier -> answers.get(earlier.word) instanceof Outcome.Done);
    }
}
