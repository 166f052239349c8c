package dev.understudy.protocol;

import java.util.List;

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
    record Heartbeat(long seq, List<LeaseReport> leases, List<Observation> observations, long lateMillis)
            implements AgentMessage {
        public Heartbeat {
            leases = List.copyOf(leases);
            observations = List.copyOf(observations);
        }
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

    /// Where this host stands with a resource.
    ///
    /// @param epoch the highest epoch seen (durable)
    /// @param released everything up to this epoch is released (durable), 0 for none
    /// @param held the epoch of the live lease under which this host holds the resource now, 0 for none
    record LeaseReport(ResourceId resource, long epoch, long released, long held) {}
}
