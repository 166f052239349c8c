package dev.understudy.controller.api;

import dev.understudy.core.Event;
import dev.understudy.core.notice.Incident;
import java.time.Instant;
import java.util.List;
import java.util.Map;
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

    /// @param mode as the file says
    /// @param standing why less than that is done now (`paused until …`, `detached`), and that two hosts may answer
    /// (`when_isolated: keep`); empty if nothing is in the
    /// way
    public record Group(
            String name, String kind, String mode, String standing, List<String> members, List<Resource> resources) {}

    /// @param address the virtual address that goes with it, null for none
    /// @param holder the only host that may hold it, null for nobody
    /// @param lease `live`, `over` or, where nobody may hold it, `none`; live means that it is not over for certain
    /// @param leaseEndsMillis until when the lease is certainly over, 0 if it is
    /// @param ackers databases: members whose acknowledgement a commit may wait for
    /// @param alone databases: the primary runs without any acknowledging replica
    /// @param promotable databases: members that are known to have every acknowledged write: see `readiness`
    /// for which of them could be promoted
    /// @param departures databases: members that have left the ackers or are about to, a clause each
    /// @param lags databases: how far each member that is heard and follows is behind the primary
    /// @param rebuild databases: the member whose data are being replaced, null for none
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
            boolean alone,
            List<String> promotable,
            List<String> departures,
            List<Lag> lags,
            @Nullable Rebuilt rebuild,
            Readiness readiness) {}

    /// A member whose data are being replaced by a copy of the donor's.
    ///
    /// @param id its events have it as their plan
    /// @param donor null until one is chosen
    /// @param percent of the copy, -1 while nothing is being received
    /// @param text for people
    public record Rebuilt(
            String id,
            String host,
            @Nullable String donor,
            String phase,
            int attempt,
            int percent,
            long bytes,
            long total,
            long bytesPerSecond,
            String text) {}

    /// Whether a failover of the resource would work now, by itself and without loss.
    ///
    /// @param next who would take over, null if nobody could
    /// @param text for people
    /// @param blockers what is in the way; none if it is ready
    public record Readiness(
            String resource, boolean ready, @Nullable String next, String text, List<Blocker> blockers) {}

    /// @param reason as in the metric `understudy_ready_blocker`
    public record Blocker(String reason, String because) {}

    /// @param byRow measured by the heartbeat row; otherwise the server's own estimate
    /// @param text for people
    public record Lag(String host, long millis, boolean byRow, String text) {}

    public record Quarantined(String host, String reason) {}

    /// `GET /api/v1/diverged/{group}/{host}`: what was decoded last of transactions that only this host's server has.
    ///
    /// @param file where all of it is, on the host
    /// @param text its beginning
    /// @param cut whether there is more
    public record Diverged(
            String group, String host, String file, List<String> transactions, String text, boolean cut) {}

    /// A move under way.
    ///
    /// @param loss what to type to let a plan that stopped go on without the members that do not answer, such as
    /// `lose db3`; empty where there is nothing to accept
    public record Plan(
            String id,
            String kind,
            String cause,
            @Nullable String from,
            @Nullable String to,
            long epoch,
            List<Event.Candidate> rejected,
            String loss) {}

    /// @param health `up`: its agent speaks; `silent`: for longer than three heartbeats; `unknown`: never heard of
    /// since this controller leads. Never "down": silence proves nothing.
    /// @param heardMillisAgo -1 if never
    /// @param maintenance since when and why it is left to its operator, null if it is not
    public record Host(
            String host,
            String address,
            List<String> groups,
            String health,
            boolean connected,
            long heardMillisAgo,
            long lateMillis,
            @Nullable String maintenance,
            List<Sight> sees) {}

    /// One observation of a host's agent.
    ///
    /// @param health `up`, `down`, `unknown`; of an address `up` or `absent`; of a server's settings `up`, `warns`
    /// or
    /// `unfit`
    public record Sight(String key, String health, String text) {}

    /// `GET /api/v1/events`, oldest first.
    public record Events(List<Event> events) {}

    /// `GET /api/v1/events/{id}`.
    ///
    /// @param steps every kept event of the same plan, oldest first; empty if it belongs to none
    public record Explained(Event event, List<Event> steps) {}

    /// `GET /api/v1/incidents`.
    ///
    /// @param past those that are over, the latest last
    /// @param waiting what is still to be sent, in its order
    /// @param troubles why it is not sent, by channel, and what is wrong with templates
    public record Incidents(
            List<Incident> open, List<Incident.Past> past, List<Waiting> waiting, Map<String, String> troubles) {}

    /// @param pending the channels that do not have it
    public record Waiting(String id, String kind, String title, Instant at, List<String> pending) {}

    /// The answer to whatever changes something.
    ///
    /// @param event the id of the event that it caused, empty for none
    public record Accepted(
            boolean accepted, String text, @Nullable String resource, String event) {}
}
