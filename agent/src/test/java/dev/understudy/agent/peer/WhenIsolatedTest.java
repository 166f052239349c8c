package dev.understudy.agent.peer;

import static dev.understudy.agent.peer.Members.ADDRESS;
import static dev.understudy.agent.peer.Members.KEEPING;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.understudy.protocol.Command;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `when_isolated: keep`, over real sockets: what a holder does that hears neither a controller nor its circle.
class WhenIsolatedTest {

    private static final Duration TTL = KEEPING.timing().ttl();

    @TempDir
    Path folder;

    private Members members;

    @BeforeEach
    void start() throws IOException {
        members = new Members(folder, KEEPING);
    }

    @AfterEach
    void end() {
        members.close();
    }

    private void holdsAlone() throws Exception {
        members.h1.hold(5, 1, List.of("h2", "h3"));
        await().until(members.h2::promised);
        members.h1.controller.acknowledges = false;
        members.h3.kill();
        Members.throughout(TTL.multipliedBy(3), () -> members.h1.serves(5));
    }

    @Test
    void it_goes_on_and_is_an_ordinary_holder_again_when_a_controller_renews_its_lease() throws Exception {
        holdsAlone();
        members.h1.controller.acknowledges = true;
        Members.throughout(TTL.multipliedBy(2), () -> members.h1.serves(5));
        assertThat(members.h1.host.acts).containsExactly("take " + ADDRESS + " 5");
    }

    @Test
    void a_controller_that_does_not_renew_its_lease_ends_it() throws Exception {
        holdsAlone();
        members.h1.controller.grants.clear();
        members.h1.controller.acknowledges = true;
        await().until(() -> members.h1.host.acts.contains("remove " + ADDRESS));
        await().until(() -> members.h1.controller.report(ADDRESS).released() == 5);
    }

    @Test
    void a_member_that_has_closed_its_epoch_ends_it() throws Exception {
        holdsAlone();
        members.h2.controller.order(new Command.CloseEpoch("close", ADDRESS, 6));
        await().until(() -> members.h1.host.acts.contains("remove " + ADDRESS));
        assertThat(members.h1.serves(5)).isFalse();
    }
}
