package dev.understudy.controller.journal;

import dev.understudy.core.JournalEntry;
import dev.understudy.core.Journaled;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.apache.ratis.proto.RaftProtos.LogEntryProto;
import org.apache.ratis.protocol.Message;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.protocol.exceptions.StateMachineException;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.protocol.TermIndex;
import org.apache.ratis.server.raftlog.RaftLog;
import org.apache.ratis.server.storage.FileInfo;
import org.apache.ratis.server.storage.RaftStorage;
import org.apache.ratis.statemachine.StateMachineStorage;
import org.apache.ratis.statemachine.TransactionContext;
import org.apache.ratis.statemachine.impl.BaseStateMachine;
import org.apache.ratis.statemachine.impl.SimpleStateMachineStorage;
import org.apache.ratis.statemachine.impl.SingleFileSnapshotInfo;
import org.apache.ratis.util.MD5FileUtil;

/// The replicated state machine: applies journal entries to core's [Journaled], which is immutable and so can be
/// read by any thread.
///
/// A record that was proposed by the leader of another term is rejected when it is applied, by every replica alike:
/// a deposed leader that has not noticed cannot slip a decision behind those of its successor.
final class JournalMachine extends BaseStateMachine {

    private final SimpleStateMachineStorage storage = new SimpleStateMachineStorage();
    private final BiConsumer<Long, Boolean> leadership;
    private final Consumer<Throwable> fault;
    private volatile Journaled journaled = Journaled.empty();

    /// @param leadership is told (term, true) when this member leads and has applied all that its predecessors
    /// committed, and (term, false) when it leads no more; on a thread of Ratis, must not block
    /// @param fault is told when an entry cannot be applied or written: the process must end
    JournalMachine(BiConsumer<Long, Boolean> leadership, Consumer<Throwable> fault) {
        this.leadership = leadership;
        this.fault = fault;
    }

    Journaled journaled() {
        return journaled;
    }

    @Override
    public void initialize(RaftServer server, RaftGroupId groupId, RaftStorage raftStorage) throws IOException {
        super.initialize(server, groupId, raftStorage);
        storage.init(raftStorage);
        reinitialize();
    }

    @Override
    public void reinitialize() throws IOException {
        SingleFileSnapshotInfo snapshot = storage.loadLatestSnapshot();
        if (snapshot == null) {
            return;
        }
        File file = snapshot.getFile().getPath().toFile();
        MD5FileUtil.verifySavedMD5(file, MD5FileUtil.computeMd5ForFile(file));
        journaled = JournalCodec.readState(Files.readAllBytes(file.toPath()));
        setLastAppliedTermIndex(snapshot.getTermIndex());
    }

    @Override
    public StateMachineStorage getStateMachineStorage() {
        return storage;
    }

    @Override
    public CompletableFuture<Message> applyTransaction(TransactionContext transaction) {
        LogEntryProto entry = transaction.getLogEntry();
        try {
            JournalCodec.Proposal proposal = JournalCodec.readProposal(
                    entry.getStateMachineLogEntry().getLogData().toByteArray());
            updateLastAppliedTermIndex(entry.getTerm(), entry.getIndex());
            if (proposal.term() != entry.getTerm()) {
                return CompletableFuture.failedFuture(new StateMachineException(
                        "proposed in term " + proposal.term() + ", but the term is " + entry.getTerm()));
            }
            journaled = applied(journaled, proposal.entries());
            return CompletableFuture.completedFuture(Message.valueOf(Long.toString(journaled.entries())));
        } catch (RuntimeException e) {
            fault.accept(new IllegalStateException("journal entry " + entry.getIndex() + " cannot be applied", e));
            return CompletableFuture.failedFuture(e);
        }
    }

    private static Journaled applied(Journaled state, List<JournalEntry> entries) {
        Journaled next = state;
        for (JournalEntry entry : entries) {
            next = next.apply(entry);
        }
        return next;
    }

    /// Answers a read with the number of entries applied.
    @Override
    public CompletableFuture<Message> query(Message request) {
        return CompletableFuture.completedFuture(Message.valueOf(Long.toString(journaled.entries())));
    }

    @Override
    public long takeSnapshot() throws IOException {
        TermIndex last = getLastAppliedTermIndex();
        if (last.getIndex() < 0) {
            return RaftLog.INVALID_LOG_INDEX;
        }
        File file = storage.getSnapshotFile(last.getTerm(), last.getIndex());
        Files.write(file.toPath(), JournalCodec.writeState(journaled));
        Identity.force(file.toPath());
        var digest = MD5FileUtil.computeAndSaveMd5ForFile(file);
        storage.updateLatestSnapshot(new SingleFileSnapshotInfo(new FileInfo(file.toPath(), digest), last));
        return last.getIndex();
    }

    @Override
    public void notifyLeaderReady() {
        leadership.accept(term(), true);
    }

    @Override
    public void notifyNotLeader(java.util.Collection<TransactionContext> pending) {
        leadership.accept(term(), false);
    }

    @Override
    public void notifyLogFailed(Throwable cause, LogEntryProto failed) {
        fault.accept(new IllegalStateException("the journal cannot be written", cause));
    }

    private long term() {
        try {
            return getServer().join().getDivision(getGroupId()).getInfo().getCurrentTerm();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
