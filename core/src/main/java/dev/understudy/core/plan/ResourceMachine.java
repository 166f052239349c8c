package dev.understudy.core.plan;

import dev.understudy.core.ResourceState;
import dev.understudy.core.ResourceState.AddressState;
import dev.understudy.core.ResourceState.PrimaryState;
import org.jspecify.annotations.Nullable;

/// Carries out the policy of one resource within one [Turn].
public sealed interface ResourceMachine permits AddressMachine, PrimaryMachine {

    static ResourceMachine of(Turn turn, ResourceState resource) {
        return switch (resource) {
            case AddressState address -> new AddressMachine(turn, address.id());
            case PrimaryState primary -> new PrimaryMachine(turn, primary.id());
        };
    }

    /// Looks, asks the table, and does what its row says. True when the phase changed: look again.
    boolean advance();

    /// A planned move, asked for by an operator; answers the request.
    ///
    /// @param to the wanted holder, null for the best
    void move(String requestId, @Nullable String to);

    /// The operator wants another holder, whatever the present one is able to do; answers the request.
    ///
    /// @param to the wanted holder, null for the best
    void failover(String requestId, @Nullable String to);
}
