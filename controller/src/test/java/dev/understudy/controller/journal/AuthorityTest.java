package dev.understudy.controller.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.understudy.controller.journal.Journal.Committed;
import dev.understudy.core.Decision.Send;
import dev.understudy.core.Journaled;
import dev.understudy.protocol.Command;
import dev.understudy.protocol.ControllerMessage.Acknowledgement;
import dev.understudy.protocol.ControllerMessage.Grant;
import dev.understudy.protocol.ControllerMessage.Order;
import dev.understudy.protocol.ControllerMessage.Refusal;
import dev.understudy.protocol.Moment;
import dev.understudy.protocol.ResourceId;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// S4: grants only within the window from the start of a linearizable read in the same term.
class AuthorityTest {

    private static final ResourceId ADDRESS = new ResourceId("edge", "192.0.2.10");
    private static final Duration WINDOW = Duration.ofSeconds(20);
    private static final Send ACK = new Send("lb1", new Acknowledgement(7, 1, List.of(new Grant(ADDRESS, 3, 1500))));
    private static final Send TAKE = new Send("lb1", new Order(7, 1, 1500, new Command.TakeAddress("c1", ADDRESS, 4)));
    private static final Send RELEASE = new Send("lb1", new Order(7, 1, 0, new Command.Release("c2", ADDRESS, 4, 3)));
    private static final Send REFUSAL = new Send("lb1", new Refusal("no"));

    @TempDir
    Path folder;

    private final AtomicLong nanos = new AtomicLong(1_000_000_000L);
    private RunningJournal running;
    private Authority authority;

    @BeforeEach
    void start() {
        running = RunningJournal.start(folder, true);
        authority = new Authority(running.journal(), this::now, WINDOW);
    }

    @AfterEach
    void stop() {
        authority.close();
        running.close();
    }

    @Test
    void withoutAReadNothingIsGranted() throws Exception {
        assertThat(authority.permitted(committed(running.term()), now()))
                .containsExactly(new Send("lb1", new Acknowledgement(7, 1, List.of())), RELEASE, REFUSAL);
    }

    @Test
    void withinTheWindowOfAReadEverythingGoes() throws Exception {
        authority.start();
        await().until(() -> authority.holds(running.term(), now()));

        assertThat(authority.permitted(committed(running.term()), now())).containsExactly(ACK, TAKE, RELEASE, REFUSAL);
    }

    @Test
    void theWindowEndsAndCountsFromTheStartOfTheRead() throws Exception {
        authority.start();
        await().until(() -> authority.holds(running.term(), now()));
        running.close();
        Moment last = new Moment(nanos.get() + WINDOW.toNanos() - 1);
        Moment over = new Moment(nanos.get() + WINDOW.toNanos());

        assertThat(authority.holds(running.term(), last)).isTrue();
        assertThat(authority.holds(running.term(), over)).isFalse();
        assertThat(authority.permitted(committed(running.term()), over)).doesNotContain(ACK, TAKE);
    }

    @Test
    void aReadInAnotherTermGivesNone() throws Exception {
        authority.start();
        await().until(() -> authority.holds(running.term(), now()));

        assertThat(authority.holds(running.term() - 1, now())).isFalse();
        assertThat(authority.permitted(committed(running.term() - 1), now())).doesNotContain(ACK, TAKE);
    }

    @Test
    void aServerThatDoesNotAnswerGivesNoAuthority() {
        running.close();
        assertThat(running.journal().linearizableRead()).isCompletedExceptionally();
    }

    private Committed committed(long term) throws Exception {
        return running.journal().commit(Decisions.withoutEntries(Journaled.empty(), ACK, TAKE, RELEASE, REFUSAL), term);
    }

    private Moment now() {
        return new Moment(nanos.get());
    }
}
