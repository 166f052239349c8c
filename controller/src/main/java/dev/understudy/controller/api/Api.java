package dev.understudy.controller.api;

import dev.understudy.core.Event;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The API's requests and answers.
public final class Api {

    private Api() {}

    /// `GET /api/v1/state`.
    ///
    /// @param controller this controller's name in its Raft group
    /// @param well nothing is wrong that the operator should know of; otherwise `problems` says what
    /// @param lastEvent the id of the latest event, empty for none
    public record Site(
            String cluster,
            String profile,
            long specVersion,
            String controller,
            long term,
            boolean leading,
            Instant time,
            boolean well,
            List<String> problems,
            List<Group> groups,
            List<Host> hosts,
            String lastEvent) {}

    public record Group(String name, String kind, String mode, List<String> members, List<Resource> resources) {}

    /// @param address the virtual address that goes with it, null for none
    /// @param holder the only host that may hold it, null for nobody
    /// @param lease `live`, `over` or, where nobody may hold it, `none`; live means that it is not over for certain
    /// @param leaseEndsMillis until when the lease is certainly over, 0 if it is
    /// @param ackers databases: members whose acknowledgement a commit may wait for
    /// @param alone databases: the primary runs without any acknowledging replica
    public record Resource(
            String resource,
            @Nullable String address,
            @Nullable String holder,
            long epoch,
            String phase,
            boolean steady,
            String lease,
            long leaseEndsMillis,
            @Nullable Plan plan,
            List<String> ackers,
            List<Quarantined> quarantined,
            boolean alone) {}

    public record Quarantined(String host, String reason) {}

    /// A move under way.
    public record Plan(
            String id,
            String kind,
            String cause,
            @Nullable String from,
            @Nullable String to,
            long epoch,
            List<Event.Candidate> rejected) {}

    /// @param health `up`: its agent speaks; `silent`: for longer than three heartbeats; `unknown`: never heard of
    /// since this controller leads. Never "down": silence proves nothing.
    /// @param heardMillisAgo -1 if never
    public record Host(
            String host,
            String address,
            List<String> groups,
            String health,
            boolean connected,
            long heardMillisAgo,
            long lateMillis,
            List<Sight> sees) {}

    /// One observation of a host's agent.
    ///
    /// @param health `up`, `down`, `unknown`; of an address `up` or `absent`
    public record Sight(String key, String health, String text) {}

    /// `GET /api/v1/events`, oldest first.
    public record Events(List<Event> events) {}

    /// `GET /api/v1/events/{id}`.
    ///
    /// @param steps every kept event of the same plan, oldest first; empty if it belongs to none
    public record Explained(Event event, List<Event> steps) {}

    /// The answer to whatever changes something.
    ///
    /// @param event the id of the event that it caused, empty for none
    public record Accepted(
            boolean accepted, String text, @Nullable String resource, String event) {}
}
