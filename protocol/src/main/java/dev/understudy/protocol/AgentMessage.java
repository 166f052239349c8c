package dev.understudy.protocol;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// What an agent sends to a controller over its one WebSocket.
public sealed interface AgentMessage {

    /// The version of these messages; a controller refuses another major one.
    int VERSION = 1;

    /// The first message of a connection.
    ///
    /// @param cluster the cluster that this agent belongs to, empty if it has never heard of one
    /// @param incarnation identifies this run of the agent
    /// @param highestTerm the highest leader's term that this agent has seen (its durable floor)
    record Hello(int version, String cluster, String host, String bootId, String incarnation, long highestTerm)
            implements AgentMessage {}

    /// Sent every `heartbeat`, and at once when something happened that can matter (a service ended).
    ///
    /// @param seq rises by one within a connection's incarnation of the agent
    /// @param leases one for each resource of this host's groups of which it has ever heard
    /// @param observations those that changed since the last heartbeat of this connection; all in the first one
    /// @param lateMillis by how much this agent's own ticks were late at worst since the last heartbeat
    /// @param clock what this agent's clock said, so that the controller can watch how fast it runs
    record Heartbeat(
            long seq, List<LeaseReport> leases, List<Observation> observations, long lateMillis, ClockReading clock)
            implements AgentMessage {
        public Heartbeat {
            leases = List.copyOf(leases);
            observations = List.copyOf(observations);
        }

        /// A heartbeat that says nothing of the agent's clock.
        public Heartbeat(long seq, List<LeaseReport> leases, List<Observation> observations, long lateMillis) {
            this(seq, leases, observations, lateMillis, ClockReading.NONE);
        }
    }

    /// Two readings of the agent's monotonic clock ([Moment]), in nanoseconds. Only their differences mean something
    /// elsewhere, and only within one incarnation of the agent.
    ///
    /// With them a controller knows, whatever the delays were, between which two readings of this clock it received
    /// (and at once answered) an earlier heartbeat: after that one was sent, before the answer was here.
    ///
    /// @param sentNanos not after the moment in which this heartbeat was sent
    /// @param answered the latest heartbeat whose answer has arrived on this connection, 0 for none
    /// @param answeredNanos not before the moment in which that answer arrived
    record ClockReading(long sentNanos, long answered, long answeredNanos) {
        public static final ClockReading NONE = new ClockReading(0, 0, 0);
    }

    /// The answer to a command, with the observations that it changed.
    record CommandReply(String commandId, Outcome outcome, List<Observation> observations) implements AgentMessage {
        public CommandReply {
            observations = List.copyOf(observations);
        }
    }

    /// A planned restart of this agent: asks for leases that outlive it (S9). The agent waits for the grant, then
    /// stops.
    record RestartNotice(long seq, long millis) implements AgentMessage {}

    /// The answer to [ControllerMessage.AskDiverged]: what was decoded last of transactions that only this host's
    /// server has, or had. Decides nothing.
    ///
    /// @param id the question's
    /// @param file where all of it is on this host, empty if there is nothing
    /// @param gtids the transactions in it, the first ones where there are very many
    /// @param text the beginning of the file
    /// @param cut whether the file has more
    record Diverged(String id, String group, String file, List<String> gtids, String text, boolean cut)
            implements AgentMessage {
        public Diverged {
            gtids = List.copyOf(gtids);
        }
    }

    /// Where this host stands with a resource.
    ///
    /// @param epoch the highest epoch seen (durable)
    /// @param released everything up to this epoch is released (durable), 0 for none
    /// @param held the epoch of the live lease under which this host holds the resource now, 0 for none
    /// @param promised this host has promised a holder not to be promoted, and the promise has not run out (S5)
    /// @param circle the version of the circle that this host counts as holder (durable), 0 for none
    /// @param standing the epoch to whose holder this host has left a standing consent that it has not taken back
    /// there: it is bound without an end, so `promised` is true too, which then is no sign that the holder lives;
    /// null for none
    record LeaseReport(
            ResourceId resource,
            long epoch,
            long released,
            long held,
            boolean promised,
            long circle,
            @Nullable Long standing) {
        /// A report of a host that left no standing consent.
        public LeaseReport(ResourceId resource, long epoch, long released, long held, boolean promised, long circle) {
            this(resource, epoch, released, held, promised, circle, null);
        }

        /// A report of a host that consents to nobody and counts no circle.
        public LeaseReport(ResourceId resource, long epoch, long released, long held) {
            this(resource, epoch, released, held, false, 0, null);
        }

        /// Whether this host is bound by a standing consent.
        public boolean stands() {
            return standing != null;
        }
    }
}
