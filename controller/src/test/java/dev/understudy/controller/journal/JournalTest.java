package dev.understudy.controller.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.understudy.controller.journal.Journal.NotLeadingException;
import dev.understudy.core.Decision;
import dev.understudy.core.Journaled;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.reflect.Modifier;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.ratis.server.RaftServerConfigKeys;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JournalTest {

    @TempDir
    Path folder;

    @Test
    void aRestartKeepsWhatWasCommittedAndLeadsInAHigherTerm() throws Exception {
        Journaled before;
        long term;
        try (RunningJournal running = RunningJournal.start(folder, true)) {
            term = running.term();
            commit(running, "first");
            commit(running, "second");
            before = running.journal().journaled();
            assertThat(before.events()).extracting("text").containsExactly("first", "second");
        }
        try (RunningJournal running = RunningJournal.start(folder, false)) {
            assertThat(running.journal().journaled()).isEqualTo(before);
            assertThat(running.term()).isGreaterThan(term);
        }
    }

    @Test
    void aKilledProcessLosesNothingThatItCommitted() throws Exception {
        Process process = new ProcessBuilder(
                        ProcessHandle.current().info().command().orElseThrow(),
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        CommittingProcess.class.getName(),
                        folder.toString())
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        long told = 0;
        try (BufferedReader out =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            String line;
            while (told < 50 && (line = out.readLine()) != null) {
                told = line.matches("\\d+") ? Long.parseLong(line) : told;
            }
        } finally {
            process.destroyForcibly();
            assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        }
        assertThat(told).isEqualTo(50);

        try (RunningJournal running = RunningJournal.start(folder, false)) {
            assertThat(running.journal().journaled().entries()).isGreaterThanOrEqualTo(told);
            commit(running, "and on");
        }
    }

    @Test
    void snapshotsBoundTheLogAndRestoreTheState() throws Exception {
        Journaled before;
        try (RunningJournal running = RunningJournal.start(folder, true)) {
            for (int i = 0; i < RaftOptions.ENTRIES_BETWEEN_SNAPSHOTS + 50; i++) {
                commit(running, "note " + i);
            }
            before = running.journal().journaled();
        }
        try (Stream<Path> files = Files.walk(folder)) {
            assertThat(files.map(f -> f.getFileName().toString())).anyMatch(name -> name.startsWith("snapshot."));
        }
        try (RunningJournal running = RunningJournal.start(folder, false)) {
            assertThat(running.journal().journaled()).isEqualTo(before);
        }
    }

    @Test
    void aDecisionWithNothingToWriteTouchesNoDisk() throws Exception {
        RunningJournal running = RunningJournal.start(folder, true);
        running.close();
        Decision decision = Decisions.withoutEntries(Journaled.empty());
        assertThat(running.journal().commit(decision, running.term()).decision())
                .isSameAs(decision);
    }

    @Test
    void aDecisionOfAnOlderTermIsNotWritten() throws Exception {
        try (RunningJournal running = RunningJournal.start(folder, true)) {
            Decision decision = Decisions.noting(Journaled.empty(), "late");
            assertThatThrownBy(() -> running.journal().commit(decision, running.term() - 1))
                    .isInstanceOf(NotLeadingException.class);
            assertThat(running.journal().journaled()).isEqualTo(Journaled.empty());
            commit(running, "in time");
        }
    }

    @Test
    void aStateThatDoesNotFollowFromTheJournalIsAnErrorOfProgramming() throws Exception {
        try (RunningJournal running = RunningJournal.start(folder, true)) {
            Decision first = Decisions.noting(Journaled.empty(), "one");
            Decision skips = new Decision(
                    first.next(),
                    List.of(),
                    List.of(first.journal().getFirst(), first.journal().getFirst()),
                    List.of());
            assertThatThrownBy(() -> running.journal().commit(skips, running.term()))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("the journal has 2 entries, the core counts 1");
        }
    }

    /// S4 rests on these two options; Ratis' defaults are not linearizable.
    @Test
    void readsAreLinearizableAndRatisLeaderLeaseIsOff() {
        try (RunningJournal running = RunningJournal.start(folder, true)) {
            var properties = running.journal().properties();
            assertThat(RaftServerConfigKeys.Read.option(properties))
                    .isEqualTo(RaftServerConfigKeys.Read.Option.LINEARIZABLE);
            assertThat(RaftServerConfigKeys.Read.leaderLeaseEnabled(properties)).isFalse();
            assertThat(RaftServerConfigKeys.Log.writeBufferSize(properties).getSize())
                    .isGreaterThan(RaftServerConfigKeys.Log.Appender.bufferByteLimit(properties)
                            .getSize());
            assertThat(RaftServerConfigKeys.Log.purgeUptoSnapshotIndex(properties))
                    .isTrue();
            assertThat(running.journal().linearizableRead().join()).isEqualTo(running.term());
        }
    }

    @Test
    void onlyTheJournalMakesCommitted() {
        assertThat(Journal.Committed.class.getDeclaredConstructors())
                .allMatch(c -> Modifier.isPrivate(c.getModifiers()));
    }

    private static void commit(RunningJournal running, String text) throws Exception {
        Journaled journaled = running.journal().journaled();
        var committed = running.journal().commit(Decisions.noting(journaled, text), running.term());
        assertThat(committed.term()).isEqualTo(running.term());
    }
}
