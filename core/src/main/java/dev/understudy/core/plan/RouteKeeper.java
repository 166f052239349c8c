package dev.understudy.core.plan;

import dev.understudy.core.Plan;
import dev.understudy.core.ResourceState.PrimaryState;
import dev.understudy.core.diagnosis.Deadlines;
import dev.understudy.core.plan.Turn.Again;
import dev.understudy.protocol.ClusterSpec.BalancerGroup;
import dev.understudy.protocol.ClusterSpec.DatabaseGroup;
import dev.understudy.protocol.Command;
import dev.understudy.protocol.Health;
import dev.understudy.protocol.Observation;
import dev.understudy.protocol.ResourceId;

/// Keeps the writer route of every balancer on the primary: open to the holder while it holds, closed to everybody
/// else, closed to all while a plan moves the role. Compared with what HAProxy itself says, so a reload or a restart
/// that forgets is put right. A balancer that cannot be reached holds up nothing (S21).
public final class RouteKeeper {

    private final Turn turn;
    private final ResourceId id;
    private final DatabaseGroup group;

    public RouteKeeper(Turn turn, ResourceId id, DatabaseGroup group) {
        this.turn = turn;
        this.id = id;
        this.group = group;
    }

    public void advance() {
        String backend = group.routeBackend();
        if (backend == null || !(turn.resource(id) instanceof PrimaryState primary)) {
            return;
        }
        for (var candidate : turn.state().spec().groups()) {
            if (candidate instanceof BalancerGroup balancers) {
                for (String host : balancers.members()) {
                    turn.evidence()
                            .balancer(host, balancers.name())
                            .filter(seen -> turn.evidence().fresh(host) && seen.health() == Health.UP)
                            .ifPresent(seen -> keep(primary, balancers.name(), host, backend, seen));
                }
            }
        }
    }

    private void keep(PrimaryState primary, String balancers, String host, String backend, Observation.Balancer seen) {
        Plan plan = primary.plan();
        long epoch = plan == null ? primary.epoch() : Math.max(primary.epoch(), plan.epoch() - 1);
        for (Observation.ServerState server : seen.servers()) {
            if (!server.backend().equals(backend) || !group.members().contains(server.server())) {
                continue;
            }
            boolean open = open(primary, server.server());
            boolean isOpen = !server.status().startsWith("MAINT");
            if (open != isOpen) {
                String state = open ? "ready" : "maint";
                turn.ensure(
                        host,
                        "route/%s/%d/%s/%s/%s".formatted(id, epoch, host, server.server(), state),
                        Again.ALWAYS,
                        Deadlines.REPEAT,
                        order -> new Command.SetServerState(
                                order, id, epoch, balancers, backend, server.server(), state));
            }
        }
    }

    private static boolean open(PrimaryState primary, String server) {
        boolean serving =
                switch (primary.phase()) {
                    case HELD, BLOCKING, REACHING, UNBLOCKING -> true;
                    case VACANT, FENCING, CUTTING, FETCHING, CATCHING_UP, STAGING, ATTACHING, OPENING, BLOCKED -> false;
                };
        return serving && server.equals(primary.holder());
    }
}
