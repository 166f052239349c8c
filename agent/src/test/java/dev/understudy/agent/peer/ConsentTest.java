package dev.understudy.agent.peer;

import static dev.understudy.agent.peer.Members.ADDRESS;
import static dev.understudy.agent.peer.Members.SPEC;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.understudy.protocol.Command;
import dev.understudy.protocol.Moment;
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

/// Agents that live on each other's consent, over real sockets.
class ConsentTest {

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

    @Test
    void s7_the_consent_of_every_member_keeps_a_lease_alive_without_a_controller() throws Exception {
        members.h1.hold(5, 1, List.of("h2", "h3"));
        members.h1.controller.close();
        Members.throughout(TTL.multipliedBy(3).plusMillis(500), () -> members.h1.serves(5));
        assertThat(members.h1.host.acts).containsExactly("take " + ADDRESS + " 5");
        assertThat(members.h2.promised()).isTrue();
        assertThat(members.h3.promised()).isTrue();
    }

    @Test
    void s7_one_member_gone_and_the_holder_fences_itself() {
        members.h1.hold(5, 1, List.of("h2", "h3"));
        members.h1.controller.close();
        members.h3.kill();
        await().until(() -> members.h1.host.acts.contains("remove " + ADDRESS));
        assertThat(members.h1.serves(5)).isFalse();
    }

    @Test
    void s7_a_holder_without_a_circle_lives_on_nobodys_consent() {
        members.h1.controller.grant(ADDRESS, 5);
        assertThat(members.h1.take("take", 5, 0)).isInstanceOf(Outcome.Done.class);
        members.h1.controller.close();
        await().until(() -> members.h1.host.acts.contains("remove " + ADDRESS));
    }

    @Test
    void s7_a_holder_whose_circle_is_empty_lives_on_alone() throws Exception {
        members.h1.hold(5, 1, List.of());
        members.h1.controller.close();
        Members.throughout(TTL.multipliedBy(3).plusMillis(500), () -> members.h1.serves(5));
    }

    @Test
    void s5_a_member_that_has_closed_the_epoch_consents_no_more() {
        members.h1.hold(5, 1, List.of("h2", "h3"));
        await().until(members.h2::promised);
        members.h2.controller.order(new Command.CloseEpoch("close", ADDRESS, 6));
        await().until(() -> members.h2.controller.reply("close").isPresent());
        members.h1.controller.close();
        await().until(() -> members.h1.host.acts.contains("remove " + ADDRESS));
        await().until(() -> !members.h2.promised());
        assertThat(members.h2.controller.report(ADDRESS).epoch()).isEqualTo(6);
    }

    @Test
    void s6_a_member_refuses_to_take_while_its_promise_lives_and_takes_when_it_has_run_out() {
        members.h1.hold(5, 1, List.of("h2", "h3"));
        await().until(members.h2::promised);
        members.h2.controller.grant(ADDRESS, 6);
        assertThat(members.h2.take("too-early", 6, 0)).isInstanceOfSatisfying(Outcome.Refused.class, refused -> {
            assertThat(refused.code()).isEqualTo("promised");
        });
        members.h1.kill();
        Moment killed = Members.now();
        await().until(() -> !members.h2.promised());
        assertThat(members.h2.take("later", 6, 0)).isInstanceOf(Outcome.Done.class);
        assertThat(Members.now().since(killed))
                .isGreaterThan(TTL.minus(SPEC.timing().heartbeat().multipliedBy(2)));
        assertThat(members.h1.serves(5)).isFalse();
    }

    @Test
    void s6_a_promise_to_a_holder_that_has_released_binds_nobody() {
        members.h1.hold(5, 1, List.of("h2", "h3"));
        await().until(members.h2::promised);
        members.h1.controller.grants.clear();
        members.h1.controller.order(new Command.Release("release", ADDRESS, 5, 5));
        await().until(() -> members.h1.controller.report(ADDRESS).released() == 5);
        members.h2.controller.grant(ADDRESS, 6);
        assertThat(members.h2.take("take", 6, 5)).isInstanceOf(Outcome.Done.class);
    }

    @Test
    void s3_a_promise_survives_a_restart_of_the_agent_that_gave_it() throws Exception {
        members.h1.hold(5, 1, List.of("h2", "h3"));
        await().until(members.h2::promised);
        members.h1.kill();
        members.h2.kill();
        members.h2.controller.heartbeats.clear();
        Moment restarted = Members.now();
        members.h2.start();
        await().until(() -> !members.h2.controller.heartbeats.isEmpty());
        assertThat(members.h2.take("too-early", 6, 0)).isInstanceOfSatisfying(Outcome.Refused.class, refused -> {
            assertThat(refused.code()).isEqualTo("promised");
        });
        await().until(() -> !members.h2.promised());
        assertThat(Members.now().since(restarted)).isGreaterThanOrEqualTo(PROMISE);
        members.h2.controller.grant(ADDRESS, 6);
        assertThat(members.h2.take("later", 6, 0)).isInstanceOf(Outcome.Done.class);
    }

    @Test
    void s3_an_agent_without_its_floors_is_mute_and_consents_to_nothing() throws Exception {
        members.h1.hold(5, 1, List.of("h2", "h3"));
        await().until(members.h2::promised);
        members.h2.kill();
        members.h1.controller.close();
        Files.delete(members.h2.state.resolve("floors"));
        members.h2.start();
        await().until(() -> members.h1.host.acts.contains("remove " + ADDRESS));
    }

    @Test
    void s9_an_adopted_lease_goes_on_asking_the_circle_on_record() throws Exception {
        members.h1.hold(5, 1, List.of("h2", "h3"));
        members.h1.controller.close();
        members.h1.kill();
        members.h1.start();
        Members.throughout(TTL.multipliedBy(2), () -> members.h1.serves(5));
        assertThat(members.h1.host.acts).containsExactly("take " + ADDRESS + " 5");
    }
}
