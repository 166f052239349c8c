package dev.understudy.lab.site;

import dev.understudy.lab.kernel.Waiting;
import dev.understudy.lab.site.ControllerApi.SiteState;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;

/// Whether the whole site is well, and bringing it back to that. Any thread.
public final class Wellness {

    public static final String SITE = Topology.BALANCER_GROUP + "/" + Topology.SITE_ADDRESS;
    public static final String PRIMARY = Topology.DATABASE_GROUP + "/primary";

    public static final String READER = Topology.DATABASE_GROUP + "/" + Topology.READER_ADDRESS;

    private Wellness() {}

    /// What is not well, empty when everything is: the controller says so, every resource has a holder in a steady
    /// phase, both replicas acknowledge and are known to have everything.
    public static Optional<String> objection(ControllerApi api) {
        Optional<SiteState> answer = api.state();
        if (answer.isEmpty()) {
            return Optional.of("the controller answers");
        }
        SiteState state = answer.get();
        if (!state.well()) {
            return Optional.of("well: " + String.join("; ", state.problems()));
        }
        for (String resource : new String[] {SITE, PRIMARY, READER}) {
            if (state.holder(resource).isEmpty() || !state.steady(resource)) {
                return Optional.of(resource + " has a holder and is steady");
            }
        }
        int replicas = Topology.DATABASES.size() - 1;
        int ackers = state.ackers(PRIMARY).size();
        if (ackers < replicas) {
            return Optional.of(replicas + " replicas acknowledge (but " + ackers + ")");
        }
        return state.unsure(PRIMARY).stream()
                .findFirst()
                .map(because -> "a failover would wait for nobody (but " + because + ")");
    }

    /// @throws Waiting.TimedOut naming what is still wrong
    public static void await(ControllerApi api, Duration limit) {
        await(api, limit, _ -> {});
    }

    /// @param tell hears what is not well, each time that it is something else
    /// @throws Waiting.TimedOut naming what is still wrong
    public static void await(ControllerApi api, Duration limit, Consumer<String> tell) {
        AtomicReference<String> told = new AtomicReference<>("");
        Waiting.untilNoObjection(limit, () -> {
            Optional<String> now = objection(api);
            // positions move all the time
            String gist = now.orElse("").replaceAll("\\d+(-\\d+)+", "…");
            if (!gist.isEmpty() && !gist.equals(told.getAndSet(gist))) {
                tell.accept("not yet " + now.orElseThrow());
            }
            return now;
        });
    }

    /// Undoes every fault: cables, frozen processes, full disks, services that do not run.
    public static void repair(Lab lab) {
        lab.healAll();
        for (LabHost host : lab.hosts()) {
            host.thaw();
            switch (host.plan().kind()) {
                case DATABASE -> {
                    host.emptyDisk();
                    host.start(LabService.MARIADB);
                    host.start(LabService.AGENT);
                }
                case BALANCER -> {
                    host.start(LabService.HAPROXY);
                    host.start(LabService.AGENT);
                }
                case WEB -> {
                    host.start(LabService.NGINX);
                    host.start(LabService.AGENT);
                }
                case CONTROLLER -> host.start(LabService.CONTROLLER);
                case CLIENT -> {}
            }
        }
    }
}
