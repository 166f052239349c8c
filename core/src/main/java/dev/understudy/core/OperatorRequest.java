package dev.understudy.core;

import dev.understudy.core.notice.NoticeChange;
import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.ClusterSpec.Mode;
import dev.understudy.protocol.ResourceId;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What an operator can ask for. Each is answered at once ([Answer]): accepted, or refused with a reason.
public sealed interface OperatorRequest {

    /// A planned move of a resource, to the named host or to the best candidate.
    record Switchover(ResourceId resource, @Nullable String to) implements OperatorRequest {}

    /// Another holder, without the present one's help: it is fenced, or its lease waited for.
    record Failover(ResourceId resource, @Nullable String to) implements OperatorRequest {}

    /// A plan that stopped goes on without the members that do not answer: what they alone acknowledged is lost.
    ///
    /// @param words what the operator typed, see [dev.understudy.core.plan.PrimaryMachine#words]
    record AcceptLoss(ResourceId resource, String words) implements OperatorRequest {}

    /// Nothing is moved by itself for that long. A null group: every automatic one.
    record Pause(@Nullable String group, Duration length, String reason) implements OperatorRequest {}

    /// The end of a pause. A null group: of every paused one.
    record Resume(@Nullable String group) implements OperatorRequest {}

    /// A host is left to its operator, or no longer. Refused while it holds something.
    ///
    /// @param length null: until it is said to be over
    record Maintenance(String host, boolean on, @Nullable Duration length, String reason) implements OperatorRequest {}

    /// A group's mode, in a specification that differs from the one in force in this only. Attaches a detached
    /// group.
    record SetMode(String group, Mode mode, ClusterSpec spec, String text) implements OperatorRequest {}

    /// Everything that the group's hosts hold stays there for good, without leases and gates.
    record Detach(String group) implements OperatorRequest {}

    /// A checked cluster specification and the text that it was read from.
    record Apply(ClusterSpec spec, String text) implements OperatorRequest {}

    /// Somebody looks after an incident: no more reminders of it.
    ///
    /// @param note one line, or empty
    record Acknowledge(String incident, String note) implements OperatorRequest {}

    /// Asked by this controller's own mailer: to write down what is to be told, or was. Refused when something else
    /// was written down since it was decided.
    ///
    /// @param text one line for the history
    record Tell(NoticeChange change, String text) implements OperatorRequest {}

    /// This controller is about to be stopped and started again: every holder gets a lease that outlives it (S9).
    record PlannedStop() implements OperatorRequest {}

    /// Try a plan that stopped and paged once more.
    record Retry(ResourceId resource) implements OperatorRequest {}

    /// The operator vouches that the host is off and stays off until it is told otherwise: whatever it holds may be
    /// given to another host without its word and without waiting for members that may have consented (S5).
    record Fenced(String host) implements OperatorRequest {}

    /// A member's data are to be replaced by a copy of another member's.
    ///
    /// @param from whose, null for the best
    /// @param bytesPerSecond at most so many leave the donor, 0 for no limit; null: as the specification says
    /// @param tokens one secret for each attempt, made for this request alone: 256 random bits in hex
    record Rebuild(
            ResourceId resource,
            String host,
            @Nullable String from,
            @Nullable Long bytesPerSecond,
            List<String> tokens) implements OperatorRequest {
        public Rebuild {
            tokens = List.copyOf(tokens);
        }

        /// Without the tokens: this may stand in a log.
        @Override
        public String toString() {
            return "Rebuild[" + host + " of " + resource + " from " + from + "]";
        }
    }

    /// The end of a rebuild before its time.
    record CancelRebuild(ResourceId resource, String host) implements OperatorRequest {}
}
