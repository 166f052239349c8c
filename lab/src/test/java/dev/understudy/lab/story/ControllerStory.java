package dev.understudy.lab.story;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.lab.kernel.Commands;
import dev.understudy.lab.site.Checkout;
import dev.understudy.lab.site.ControllerApi;
import dev.understudy.lab.site.LabHost;
import dev.understudy.lab.site.LabService;
import dev.understudy.lab.site.Topology;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The controller dies in mid-plan, and what it is told wrongly.
class ControllerStory extends Story {

    /// It is killed when so many changes of the plan are in its journal, before anything that follows from the last
    /// one is sent: 2 while the replicas are to be cut off, 3 catching up, 4 staging, 5 attaching, 6 opening, 7
    /// done.
    @ParameterizedTest
    @ValueSource(ints = {2, 3, 4, 5, 6, 7})
    @Fault("mariadbd of the primary killed, and the controller after each step of the failover")
    void aControllerKilledInADatabaseFailoverResumesIt(int changes) {
        LabHost old = primary();
        startToCrashAfter(changes);
        act("kill mariadbd of " + old.name(), () -> old.kill(LabService.MARIADB));
        controllerDiesAndReturns();
        becomesHolderInsteadOf(old, PRIMARY);
        act("start the old primary again", () -> old.start(LabService.MARIADB));
        clientsAreServed();
        siteBecomesWell();
    }

    /// 1 while writes are to be blocked, 2 reaching, 3 handing over, 4 staging, 5 attaching, 6 opening, 7 done.
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7})
    @Fault("the controller killed after each step of a planned move of the primary")
    void aControllerKilledInAPlannedMoveOfThePrimaryCompletesOrUndoesIt(int changes) {
        startToCrashAfter(changes);
        act("switch over", () -> askForMove(PRIMARY));
        controllerDiesAndReturns();
        clientsAreServed();
        siteBecomesWell();
    }

    /// 1 while the address is to be released, 2 done.
    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    @Fault("the controller killed after each step of a planned move of the address")
    void aControllerKilledInAPlannedMoveOfTheAddressCompletesIt(int changes) {
        startToCrashAfter(changes);
        act("switch over", () -> askForMove(SITE));
        controllerDiesAndReturns();
        clientsAreServed();
        siteBecomesWell();
    }

    @Test
    @Fault("a wrong cluster.yml applied, a wrong resource named")
    void aWrongConfigurationIsRefusedAndNothingChanges() {
        LabHost controller = controller();
        Path wrong = controller.path("/etc/understudy/wrong.yml");
        try {
            String good = Files.readString(controller.path("/etc/understudy/cluster.yml"));
            Files.writeString(wrong, good.replaceFirst("members: \\[lb1, lb2]", "members: [lb1, lb9]"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        int events = api().events(1000).size();
        Commands.Result applied = understudy("apply", "/etc/understudy/wrong.yml");
        tell("apply: " + applied.exit() + " " + applied.output().strip());
        assertThat(applied.exit()).isEqualTo(2);
        assertThat(applied.output()).contains("wrong.yml:").contains("'lb9'");
        assertThat(api().events(1000)).hasSize(events);

        Commands.Result unknown = understudy("switchover", "edge/192.0.2.99", "--no-wait");
        tell("switchover: " + unknown.exit() + " " + unknown.output().strip());
        assertThat(unknown.exit()).isIn(1, 2);
        assertThat(unknown.output().strip().lines()).hasSize(1);
        assertThat(api().events(1000)).hasSize(events);
    }

    /// The controller may die before it answers; a refusal is no such thing.
    private void askForMove(String resource) {
        try {
            api().switchover(resource, "");
        } catch (ControllerApi.Refused e) {
            if (!String.valueOf(e.getMessage()).contains("the controller does not answer")) {
                throw e;
            }
            tell("the controller died before it answered");
        }
    }

    private LabHost controller() {
        return host(Topology.CTL1.name());
    }

    private Commands.Result understudy(String... words) {
        String[] line = new String[words.length + 1];
        line[0] = Checkout.find().cli();
        System.arraycopy(words, 0, line, 1, words.length);
        return controller().run(line);
    }

    /// Restarts the controller, as planned, so that it will die by itself.
    private void startToCrashAfter(int changes) {
        LabHost controller = controller();
        act("restart the controller to die after " + changes + " changes", () -> {
            controller.stop(LabService.CONTROLLER);
            controller.start(LabService.CONTROLLER, "JAVA_TOOL_OPTIONS=-Dunderstudy.crash-after-changes=" + changes);
        });
        siteBecomesWell();
    }

    private void controllerDiesAndReturns() {
        LabHost controller = controller();
        eventually(
                "the controller is dead",
                () -> controller.processes(LabService.CONTROLLER).isEmpty());
        act("start it again", () -> controller.start(LabService.CONTROLLER));
    }
}
