package dev.understudy.agent.peer;

import static dev.understudy.agent.peer.Members.ADDRESS;
import static dev.understudy.agent.peer.Members.SPEC;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.understudy.protocol.Command;
import dev.understudy.protocol.Outcome;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Agents that are stopped cleanly while no controller is in reach, over real sockets.
class StandingConsentTest {

    private static final Duration TTL = SPEC.timing().ttl();
    private static final Duration PROMISE = SPEC.timing().lapseAfter(TTL);

    @TempDir
    Path folder;

    private Members members;

    @BeforeEach
    void start() throws IOException {
        members = new Members(folder);
    }

    @AfterEach
    void end() {
        members.close();
    }

    private void holdsWithoutAController() {
        members.h1.hold(5, 1, List.of("h2", "h3"));
        await().until(() -> members.h2.promised() && members.h3.promised());
        members.h1.controller.close();
        members.h2.controller.close();
        members.h3.controller.close();
    }

    private static String floors(Members.Member member) throws IOException {
        return Files.readString(member.state.resolve("floors"));
    }

    @Test
    void a_holder_goes_on_without_a_member_whose_agent_was_stopped_and_with_it_when_it_is_back() throws Exception {
        holdsWithoutAController();
        members.h2.stop();
        assertThat(floors(members.h2)).contains("\"standing\":{\"number\":1,\"withdrawn\":false}");
        Members.throughout(TTL.multipliedBy(3), () -> members.h1.serves(5));
        members.h2.newController();
        members.h2.start();
        await().until(() -> !members.h2.controller.heartbeats.isEmpty());
        await().until(() -> !members.h2.controller.report(ADDRESS).stands());
        assertThat(members.h2.promised()).as("it consents as before").isTrue();
        Members.throughout(TTL.multipliedBy(2), () -> members.h1.serves(5));
        assertThat(members.h1.host.acts).containsExactly("take " + ADDRESS + " 5");
        members.h2.kill();
        await().until(() -> members.h1.host.acts.contains("remove " + ADDRESS));
    }

    @Test
    void a_holder_whose_whole_circle_was_stopped_lives_on_alone() throws Exception {
        holdsWithoutAController();
        members.h2.stop();
        members.h3.stop();
        Members.throughout(TTL.multipliedBy(3), () -> members.h1.serves(5));
        assertThat(members.h1.host.acts).containsExactly("take " + ADDRESS + " 5");
    }

    @Test
    void s5_a_member_that_cannot_speak_with_the_holder_again_is_not_promoted_until_the_epoch_is_over()
            throws Exception {
        holdsWithoutAController();
        members.h2.stop();
        members.h1.kill();
        members.h2.newController();
        members.h2.start();
        await().until(() -> !members.h2.controller.heartbeats.isEmpty());
        members.h2.controller.order(new Command.CloseEpoch("close", ADDRESS, 6));
        await().until(() -> members.h2.controller.report(ADDRESS).epoch() == 6);
        Members.throughout(PROMISE.multipliedBy(2), () -> {
            return members.h2.promised()
                    && Long.valueOf(5)
                            .equals(members.h2.controller.report(ADDRESS).standing());
        });
        assertThat(members.h2.take("too-early", 6, 4)).isInstanceOfSatisfying(Outcome.Refused.class, refused -> {
            assertThat(refused.code()).isEqualTo("promised");
            assertThat(refused.reason()).contains("standing consent");
        });
        members.h2.controller.grant(ADDRESS, 6);
        assertThat(members.h2.take("over", 6, 5)).isInstanceOf(Outcome.Done.class);
        assertThat(members.h2.controller.report(ADDRESS).stands()).isFalse();
    }

    @Test
    void with_a_controller_in_reach_none_is_left() throws Exception {
        members.h1.hold(5, 1, List.of("h2", "h3"));
        await().until(members.h2::promised);
        members.h2.stop();
        assertThat(floors(members.h2)).contains("\"standing\":null");
    }

    @Test
    void an_agent_is_stopped_in_bounded_time_although_the_holder_does_not_ask_and_leaves_nothing_behind()
            throws Exception {
        holdsWithoutAController();
        members.h1.kill();
        members.h2.stop();
        assertThat(floors(members.h2)).contains("\"standing\":null");
    }
}
