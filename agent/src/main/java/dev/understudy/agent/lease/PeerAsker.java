package dev.understudy.agent.lease;

import dev.understudy.protocol.PeerMessage.Consent;
import dev.understudy.protocol.PeerMessage.ConsentRequest;
import java.time.Duration;
import java.util.function.Consumer;

/// Carries a holder's questions to the other members. Called on the lease thread, never blocks.
@FunctionalInterface
public interface PeerAsker {

    /// While a question to this member about this resource is under way, only the newest other one waits.
    ///
    /// @param within after that no answer is waited for
    /// @param answered called with the member's answer from any thread; not called when there is none
    void ask(String member, ConsentRequest question, Duration within, Consumer<Consent> answered);
}
