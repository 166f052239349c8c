package dev.understudy.controller.journal;

import dev.understudy.core.Decision;
import dev.understudy.core.Journaled;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.apache.ratis.conf.RaftProperties;
import org.apache.ratis.protocol.ClientId;
import org.apache.ratis.protocol.Message;
import org.apache.ratis.protocol.RaftClientReply;
import org.apache.ratis.protocol.RaftClientRequest;
import org.apache.ratis.protocol.RaftGroup;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.protocol.RaftPeer;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.protocol.exceptions.StateMachineException;
import org.apache.ratis.server.DivisionInfo;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.storage.RaftStorage;
import org.apache.ratis.util.ExitUtils;

/// The journal of one controller: an Apache Ratis server in this process. Decisions are proposed to the server
/// directly (no connection to ourselves): only a leader decides, so a proposal that would have to be forwarded is a
/// mistake anyway.
///
/// [#commit] is the only maker of [Committed], and what is sent needs one (DESIGN section 3). Thread-safe, though
/// only the loop commits.
public final class Journal implements AutoCloseable {

    /// Where and as whom.
    ///
    /// @param address host and port of the Raft server, as the other members reach it
    /// @param commitTimeout a leader that cannot commit for so long resigns (S4)
    public record Settings(Identity identity, Path store, String address, Duration commitTimeout) {}

    /// A decision that is on the disks of a majority: only this can be sent.
    public static final class Committed {
        private final Decision decision;
        private final long term;

        private Committed(Decision decision, long term) {
            this.decision = decision;
            this.term = term;
        }

        public Decision decision() {
            return decision;
        }

        /// The Raft term in which it was made.
        public long term() {
            return term;
        }
    }

    /// This controller does not lead in the term of the decision (any more): nothing was written.
    public static final class NotLeadingException extends Exception {
        private static final long serialVersionUID = 1L;

        private NotLeadingException(String message) {
            super(message);
        }
    }

    /// It is not known whether the decision was written: the process must end, the next one reads the journal.
    public static final class CommitFailedException extends Exception {
        private static final long serialVersionUID = 1L;

        private CommitFailedException(String message, Throwable cause) {
            super(message, cause);
        }
    }

    private final RaftServer server;
    private final RaftGroupId group;
    private final JournalMachine machine;
    private final Duration commitTimeout;
    private final ClientId client = ClientId.randomId();
    private final AtomicLong calls = new AtomicLong();

    /// Starts the server and reads the journal. Returns before this member leads; `leadership` is told then.
    ///
    /// @param fresh make a new, empty journal
    /// @param leadership see [JournalMachine]
    /// @throws IOException if the store cannot be opened or the port is taken
    public static Journal open(
            Settings settings, boolean fresh, BiConsumer<Long, Boolean> leadership, Consumer<Throwable> fault)
            throws IOException {
        // Ratis would end the process with its shutdown hooks, which prepare for a planned stop. Ours halts: a journal
        // that cannot be written makes the next commit fail.
        ExitUtils.disableSystemExit();
        JournalMachine machine = new JournalMachine(leadership, fault);
        RaftPeer peer = RaftPeer.newBuilder()
                .setId(RaftPeerId.valueOf(settings.identity().peer()))
                .setAddress(settings.address())
                .build();
        RaftGroup group =
                RaftGroup.valueOf(RaftGroupId.valueOf(settings.identity().group()), peer);
        RaftProperties properties = RaftOptions.of(settings, group.getPeers().size());
        RaftServer server = RaftServer.newBuilder()
                .setServerId(peer.getId())
                .setGroup(group)
                .setStateMachine(machine)
                .setProperties(properties)
                .setOption(fresh ? RaftStorage.StartupOption.FORMAT : RaftStorage.StartupOption.RECOVER)
                .build();
        Journal journal = new Journal(server, group.getGroupId(), machine, settings.commitTimeout());
        server.start();
        return journal;
    }

    private Journal(RaftServer server, RaftGroupId group, JournalMachine machine, Duration commitTimeout) {
        this.server = server;
        this.group = group;
        this.machine = machine;
        this.commitTimeout = commitTimeout;
    }

    /// The replicated state as this member has applied it.
    public Journaled journaled() {
        return machine.journaled();
    }

    /// Writes what the decision wants written and waits until a majority has it. A decision with nothing to write
    /// costs nothing.
    ///
    /// @param term the term of the state from which the decision was made
    public Committed commit(Decision decision, long term) throws NotLeadingException, CommitFailedException {
        if (decision.journal().isEmpty()) {
            return new Committed(decision, term);
        }
        byte[] bytes = JournalCodec.writeProposal(new JournalCodec.Proposal(term, decision.journal()));
        long applied = propose(bytes);
        long expected = decision.next().journaled().entries();
        if (applied != expected) {
            throw new IllegalStateException("the journal has " + applied + " entries, the core counts " + expected);
        }
        return new Committed(decision, term);
    }

    private long propose(byte[] bytes) throws NotLeadingException, CommitFailedException {
        RaftClientReply reply;
        try {
            reply = submit(
                            Message.valueOf(new String(bytes, java.nio.charset.StandardCharsets.UTF_8)),
                            RaftClientRequest.writeRequestType())
                    .get(commitTimeout.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            throw new CommitFailedException("no commit within " + commitTimeout.toMillis() + " ms", e);
        } catch (ExecutionException | IOException e) {
            throw new CommitFailedException("commit failed: " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CommitFailedException("interrupted while committing", e);
        }
        if (reply.isSuccess()) {
            return Long.parseLong(reply.getMessage().getContent().toStringUtf8());
        }
        Exception cause = reply.getException();
        boolean notWritten = reply.getNotLeaderException() != null
                || reply.getLeaderNotReadyException() != null
                || reply.getLeaderSteppingDownException() != null
                || cause instanceof StateMachineException;
        if (notWritten) {
            throw new NotLeadingException(String.valueOf(cause.getMessage()));
        }
        throw new CommitFailedException("commit failed: " + cause, cause);
    }

    /// Asks for a linearizable read that this member answers itself.
    ///
    /// @return the term in which it led from before to after the read, or an exception
    CompletableFuture<Long> linearizableRead() {
        try {
            long before = leadingTerm();
            return submit(Message.EMPTY, RaftClientRequest.readRequestType()).thenApply(reply -> {
                if (!reply.isSuccess()) {
                    throw new IllegalStateException("read refused: " + reply.getException());
                }
                if (leadingTerm() != before) {
                    throw new IllegalStateException("the term changed during the read");
                }
                return before;
            });
        } catch (IOException | IllegalStateException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    /// @throws IllegalStateException if this member does not lead
    private long leadingTerm() {
        DivisionInfo info = info();
        if (!info.isLeaderReady()) {
            throw new IllegalStateException("this controller does not lead");
        }
        return info.getCurrentTerm();
    }

    /// Whether the Raft server still runs; when it closed itself (a pause of a minute, a failed disk) the process
    /// ends.
    public boolean alive() {
        return info().isAlive();
    }

    RaftProperties properties() {
        return server.getProperties();
    }

    private DivisionInfo info() {
        try {
            return server.getDivision(group).getInfo();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private CompletableFuture<RaftClientReply> submit(Message message, RaftClientRequest.Type type) throws IOException {
        return server.submitClientRequestAsync(RaftClientRequest.newBuilder()
                .setClientId(client)
                .setServerId(server.getId())
                .setGroupId(group)
                .setCallId(calls.incrementAndGet())
                .setMessage(message)
                .setType(type)
                .build());
    }

    @Override
    public void close() throws IOException {
        server.close();
    }

    /// The members of the group, for pages.
    public List<String> members() {
        try {
            return server.getDivision(group).getGroup().getPeers().stream()
                    .map(p -> p.getId().toString())
                    .toList();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
