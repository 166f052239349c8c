package dev.understudy.controller.journal;

import java.nio.file.Path;

/// A process of its own for the test that kills it: commits for ever, and prints each count once it is committed.
public final class CommittingProcess {

    private CommittingProcess() {}

    public static void main(String[] arguments) throws Exception {
        try (RunningJournal running = RunningJournal.start(Path.of(arguments[0]), true)) {
            while (true) {
                var journaled = running.journal().journaled();
                var committed = running.journal().commit(Decisions.noting(journaled, "note"), running.term());
                System.out.println(committed.decision().next().journaled().entries());
            }
        }
    }
}
