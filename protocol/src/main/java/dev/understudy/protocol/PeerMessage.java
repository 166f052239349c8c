package dev.understudy.protocol;

import org.jspecify.annotations.Nullable;

/// What agents say to each other, as JSON over HTTP (port 7442): a request and its answer.
public sealed interface PeerMessage {

    /// A holder asks for consent (`POST /consent`): the asked member is to promise that it will not be promoted,
    /// not even by a controller, while the promise lives.
    ///
    /// @param cluster both must belong to it
    /// @param holder the host that asks
    /// @param seq the asker's own number for this round; its lease counts from its sending (S1)
    /// @param term the highest leader's term that the asker has seen
    /// @param ttlMillis for how long from its sending the asker will count the consent; the promise outlasts it
    /// @param standing the latest that the asker knows of the asked member's standing consent, null for nothing
    record ConsentRequest(
            String cluster,
            String holder,
            ResourceId resource,
            long epoch,
            long seq,
            long term,
            long ttlMillis,
            @Nullable StandingConsent standing)
            implements PeerMessage {
        /// A question of a holder that knows of no standing consent.
        public ConsentRequest(
                String cluster, String holder, ResourceId resource, long epoch, long seq, long term, long ttlMillis) {
            this(cluster, holder, resource, epoch, seq, term, ttlMillis, null);
        }
    }

    /// The answer. Given only after the promise is on disk (S3).
    ///
    /// @param granted whether the member consents
    /// @param reason why not, empty if granted
    /// @param standing the member leaves a standing consent with this answer, or takes one back, or did so earlier;
    /// null if it never left one
    record Consent(
            ResourceId resource,
            long epoch,
            long seq,
            boolean granted,
            String reason,
            @Nullable StandingConsent standing)
            implements PeerMessage {
        /// An answer of a member that never left a standing consent.
        public Consent(ResourceId resource, long epoch, long seq, boolean granted, String reason) {
            this(resource, epoch, seq, granted, reason, null);
        }
    }
}
