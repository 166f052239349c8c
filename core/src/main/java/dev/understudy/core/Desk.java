package dev.understudy.core;

import dev.understudy.core.Operations.Maintenance;
import dev.understudy.core.Operations.Pause;
import dev.understudy.core.plan.Turn;
import dev.understudy.protocol.ClusterSpec.Group;
import dev.understudy.protocol.ClusterSpec.Mode;
import dev.understudy.protocol.ResourceId;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// Where operators' standing requests are taken: each is checked, journaled and answered at once.
final class Desk {

    /// A longer wish is better written into the file, as a mode.
    static final Duration LONGEST_PAUSE = Duration.ofDays(7);

    private final Turn turn;
    private final String request;
    private final String who;

    Desk(Turn turn, Input.Operator operator) {
        this.turn = turn;
        this.request = operator.requestId();
        this.who = operator.who();
    }

    /// Every epoch that the host may hold now counts as released by it. Refused while its agent is heard: a host
    /// that speaks is not off, and an order to release is better than a word. (The target of a planned move that
    /// may hold the next epoch becomes the holder when the move is overdue; vouching for it earlier would vouch for
    /// the present holder too.)
    void fenced(String host) {
        if (turn.state().spec().host(host).isEmpty()) {
            refuse("there is no host '" + host + "'");
            return;
        }
        if (turn.evidence().fresh(host)) {
            refuse(host + " is not off: its agent is heard now");
            return;
        }
        List<ResourceState> held = turn.state().journaled().resources().values().stream()
                .filter(r -> host.equals(r.holder()))
                .sorted((a, b) -> a.id().compareTo(b.id()))
                .toList();
        if (held.isEmpty()) {
            refuse(host + " holds nothing: there is nothing to vouch for");
            return;
        }
        String first = turn.nextEventId();
        List<String> told = new ArrayList<>();
        for (ResourceState resource : held) {
            long epoch = resource.epoch();
            String text = who + " vouches that " + host + " is off: epoch " + epoch + " of " + resource.id()
                    + " counts as released";
            turn.record(new JournalEntry.Vouched(
                    resource.id(), epoch, turn.event(resource, resource, "", "", text, List.of())));
            told.add(resource.id() + " epoch " + epoch);
        }
        accept(host + " counts as off: " + String.join(", ", told), first);
    }

    /// Lowers automatic groups to manual for a while.
    void pause(OperatorRequest.Pause pause) {
        String named = pause.group();
        if (named != null && turn.state().spec().group(named).isEmpty()) {
            refuse("there is no group '" + named + "'");
            return;
        }
        if (pause.length().isNegative()
                || pause.length().isZero()
                || pause.length().compareTo(LONGEST_PAUSE) > 0) {
            refuse("a pause lasts from a second to " + LONGEST_PAUSE.toDays() + " days");
            return;
        }
        List<String> groups = turn.state().spec().groups().stream()
                .filter(g -> named == null || g.name().equals(named))
                .filter(g -> g.mode() == Mode.AUTOMATIC
                        && !turn.state().spec().resourcesOf(g).isEmpty())
                .map(Group::name)
                .toList();
        if (groups.isEmpty()) {
            refuse((named == null ? "no group" : named) + " moves nothing by itself: there is nothing to pause");
            return;
        }
        Pause next = new Pause(end(pause.length()), who, pause.reason());
        operate(
                operations().pausing(groups, next),
                String.join(", ", groups) + " " + next.describe() + ": nothing is moved by itself until then");
    }

    void resume(@Nullable String named) {
        List<String> groups = operations().pauses().keySet().stream()
                .filter(g -> named == null || g.equals(named))
                .sorted()
                .toList();
        if (groups.isEmpty()) {
            refuse(named == null ? "no group is paused" : named + " is not paused");
            return;
        }
        operate(
                operations().pausing(groups, null),
                who + " ended the pause of " + String.join(", ", groups) + ": what is due happens now");
    }

    /// A host that holds something is moved from first: its work would otherwise stop the site, or a failover would
    /// have to find out.
    void maintenance(OperatorRequest.Maintenance work) {
        String host = work.host();
        if (turn.state().spec().host(host).isEmpty()) {
            refuse("there is no host '" + host + "'");
            return;
        }
        if (!work.on()) {
            if (!operations().maintenance().containsKey(host)) {
                refuse(host + " is not in maintenance");
                return;
            }
            operate(operations().maintaining(host, null), who + " ended the maintenance of " + host);
            return;
        }
        List<String> held = turn.state().journaled().resources().values().stream()
                .filter(r -> host.equals(r.holder()) || isTarget(r, host))
                .map(r -> r.id().toString())
                .sorted()
                .toList();
        if (!held.isEmpty()) {
            refuse(host + " holds " + String.join(", ", held) + ": move that first (understudy switchover "
                    + held.getFirst() + ", or maintenance " + host + " on --move)");
            return;
        }
        Duration length = work.length();
        Maintenance next = new Maintenance(length == null ? null : end(length), who, work.reason());
        operate(
                operations().maintaining(host, next),
                host + " is " + next.describe() + ": it is no candidate, and its troubles are not reported");
    }

    private static boolean isTarget(ResourceState resource, String host) {
        Plan plan = resource.plan();
        return plan != null && host.equals(plan.to());
    }

    /// Leaves everything of a group where it is, without leases and gates. Each agent is told, again until it has;
    /// the holder's lease is renewed until it says that it has.
    void detach(String group) {
        Group found = turn.state().spec().group(group).orElse(null);
        if (found == null) {
            refuse("there is no group '" + group + "'");
            return;
        }
        if (operations().detached().contains(group)) {
            refuse(group + " is detached already");
            return;
        }
        List<ResourceId> ids = turn.state().spec().resourcesOf(found);
        if (ids.isEmpty() || found.mode() == Mode.OBSERVE) {
            refuse(group + " holds nothing under a lease (mode " + word(found.mode()) + ")");
            return;
        }
        List<String> unheard =
                found.members().stream().filter(m -> !turn.evidence().fresh(m)).toList();
        if (!unheard.isEmpty()) {
            refuse(String.join(", ", unheard) + " is not heard and would keep its gate and fence itself:"
                    + " run understudy-agent detach there while no controller runs, or bring it back first");
            return;
        }
        for (ResourceId id : ids) {
            ResourceState resource = turn.resource(id);
            if (resource != null && resource.plan() != null) {
                refuse(id + " is being moved (" + resource.phaseName() + "): wait for its end");
                return;
            }
        }
        Rebuild rebuild = operations().rebuild(group).orElse(null);
        if (rebuild != null) {
            refuse(rebuild.host() + " is being rebuilt: wait for its end, or cancel it (understudy rebuild " + group
                    + " " + rebuild.host() + " --cancel)");
            return;
        }
        operate(
                operations().detaching(group),
                who + " detaches " + group
                        + ": addresses become permanent, gates go, nothing is watched over any more");
    }

    /// The group is in its mode again, once every agent has taken part in it.
    void attach(OperatorRequest.SetMode mode) {
        String group = mode.group();
        if (turn.refused(request)) {
            return;
        }
        if (!operations().detached().contains(group) || mode.mode() == Mode.OBSERVE) {
            if (!turn.hasAnswer(request)) {
                refuse("the mode of " + group + " is " + word(mode.mode()) + " already");
            }
            return;
        }
        String text = who + " attaches " + group + " again, mode " + word(mode.mode())
                + ": what its hosts have is adopted as found";
        turn.record(new JournalEntry.Operated(operations().attaching(group), turn.event(text)));
        if (!turn.hasAnswer(request)) {
            accept(text, "");
        }
    }

    /// What was to last until a time of day ends by itself, and says so.
    static void expire(Turn turn) {
        Operations operations = turn.state().journaled().operations();
        Instant now = turn.now().wall();
        List<String> groups = operations.pauses().keySet().stream()
                .filter(g -> operations.pause(g, now).isEmpty())
                .sorted()
                .toList();
        if (!groups.isEmpty()) {
            String text = "the pause of " + String.join(", ", groups) + " is over: what is due happens now";
            turn.record(new JournalEntry.Operated(operations.pausing(groups, null), turn.event(text)));
        }
        for (String host : operations.maintenance().keySet().stream().sorted().toList()) {
            if (operations.maintenance(host, now).isEmpty()) {
                Operations present = turn.state().journaled().operations();
                turn.record(new JournalEntry.Operated(
                        present.maintaining(host, null), turn.event("the maintenance of " + host + " is over")));
            }
        }
    }

    private Operations operations() {
        return turn.state().journaled().operations();
    }

    private Instant end(Duration length) {
        return turn.now().wall().plus(length).truncatedTo(ChronoUnit.SECONDS);
    }

    private void operate(Operations next, String text) {
        String event = turn.nextEventId();
        turn.record(new JournalEntry.Operated(next, turn.event(text)));
        accept(text, event);
    }

    private static String word(Mode mode) {
        return mode.name().toLowerCase(Locale.ROOT);
    }

    private void refuse(String text) {
        turn.answer(request, false, text, "");
    }

    private void accept(String text, String event) {
        turn.answer(request, true, text, event);
    }
}
