package dev.understudy.controller;

import dev.understudy.controller.api.SiteFigures;
import dev.understudy.controller.config.ClusterFile;
import dev.understudy.controller.journal.Authority;
import dev.understudy.controller.journal.Identity;
import dev.understudy.controller.journal.Journal;
import dev.understudy.controller.loop.ControllerLoop;
import dev.understudy.controller.loop.FaultHandler;
import dev.understudy.controller.loop.Ticking;
import dev.understudy.controller.loop.View;
import dev.understudy.controller.mail.Notifier;
import dev.understudy.controller.web.WebServer;
import dev.understudy.core.Decision.Answer;
import dev.understudy.core.OperatorRequest;
import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.TimingProfile;
import dev.understudy.wire.metrics.Metrics;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One controller, put together: journal, authority, loop, server. Starting it is all or nothing.
public final class Controller implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Controller.class);
    private static final Duration COMMIT = Duration.ofSeconds(5);
    private static final Duration LEAD = Duration.ofSeconds(60);

    /// @param cluster the file to apply at start, null to go on with what is in the journal
    /// @param listenPort 0: any free one
    /// @param grafana where the dashboards are, for the page's link to them; empty for none
    public record Settings(
            String name,
            @Nullable Path cluster,
            Path state,
            String listenHost,
            int listenPort,
            int raftPort,
            boolean init,
            String grafana) {

        /// Without a link to dashboards.
        public Settings(
                String name,
                @Nullable Path cluster,
                Path state,
                String listenHost,
                int listenPort,
                int raftPort,
                boolean init) {
            this(name, cluster, state, listenHost, listenPort, raftPort, init, "");
        }
    }

    /// The controller cannot start, for a reason that the operator can mend. Nothing was changed.
    public static final class RefusedException extends Exception {
        private static final long serialVersionUID = 1L;

        RefusedException(String lines) {
            super(lines);
        }
    }

    private final Exclusive exclusive;
    private final Journal journal;
    private final Authority authority;
    private final ControllerLoop loop;
    private final Notifier notifier;
    private final WebServer web;
    private final Thread watch;

    private Controller(
            Exclusive exclusive,
            Journal journal,
            Authority authority,
            ControllerLoop loop,
            Notifier notifier,
            WebServer web,
            Thread watch) {
        this.exclusive = exclusive;
        this.journal = journal;
        this.authority = authority;
        this.loop = loop;
        this.notifier = notifier;
        this.web = web;
        this.watch = watch;
    }

    /// Starts; returns when this controller leads and the file is applied.
    ///
    /// @throws RefusedException for a bad file, a lost journal, a port in use
    /// @throws IOException if the state folder cannot be used
    public static Controller start(Settings settings, FaultHandler faults) throws RefusedException, IOException {
        return start(settings, faults, Ticking.system());
    }

    static Controller start(Settings settings, FaultHandler faults, Ticking clock)
            throws RefusedException, IOException {
        Path path = settings.cluster();
        ClusterFile.Result.@Nullable Good file = path == null ? null : read(path);
        Exclusive exclusive = Exclusive.claim(settings);
        Identity.Opened opened = Identity.open(settings.state(), settings.name(), settings.init());
        Identity.Opened.Ready ready =
                switch (opened) {
                    case Identity.Opened.Refused refused -> {
                        exclusive.close();
                        throw new RefusedException(refused.reason());
                    }
                    case Identity.Opened.Ready it -> it;
                };
        Metrics metrics = new Metrics().withProcessMeters();
        CompletableFuture<ControllerLoop> made = new CompletableFuture<>();
        Journal journal = Journal.open(
                new Journal.Settings(ready.identity(), ready.store(), "127.0.0.1:" + settings.raftPort(), COMMIT),
                ready.fresh(),
                (term, leading) -> {
                    var _ = made.thenAccept(l -> l.leadership(term, leading));
                },
                cause -> faults.fault("journal", cause));
        Authority authority = new Authority(journal, () -> clock.now().mono(), TimingProfile.FAST.authorityWindow());
        ControllerLoop loop = new ControllerLoop(journal, authority, clock, faults, metrics);
        Notifier notifier = null;
        metrics.families(() -> loop.view()
                .map(view -> SiteFigures.of(view.state(), clock.now()))
                .orElse(List.of()));
        try {
            loop.start();
            authority.start();
            made.complete(loop);
            awaitLeading(loop);
            if (path != null && file != null) {
                apply(loop, path, file);
            }
            warnOfTwoHosts(loop);
            String peer = ready.identity().peer();
            notifier = Notifier.start(loop, authority, clock, peer, metrics, faults);
            WebServer web = WebServer.start(
                    settings.listenHost(),
                    settings.listenPort(),
                    loop,
                    notifier,
                    peer,
                    clock,
                    metrics,
                    settings.grafana());
            LOG.info("controller={} listen={}:{} state={}", peer, settings.listenHost(), web.port(), settings.state());
            return new Controller(exclusive, journal, authority, loop, notifier, web, watch(journal, faults));
        } catch (RefusedException | RuntimeException e) {
            if (notifier != null) {
                notifier.close();
            }
            loop.stop();
            authority.close();
            journal.close();
            if (e instanceof io.javalin.util.JavalinBindException) {
                throw new RefusedException(
                        settings.listenHost() + ":" + settings.listenPort() + " cannot be used: " + e.getMessage());
            }
            throw e;
        }
    }

    /// What is chosen with `when_isolated: keep` is said at each start.
    private static void warnOfTwoHosts(ControllerLoop loop) {
        ClusterSpec spec = loop.view().map(v -> v.state().journaled().spec()).orElse(null);
        if (spec != null && !spec.keptWhenIsolated().isEmpty()) {
            LOG.warn(
                    "when_isolated=keep resources={} meaning=\"two hosts may answer at once\"",
                    spec.keptWhenIsolated());
        }
    }

    private static ClusterFile.Result.Good read(Path file) throws RefusedException {
        return switch (ClusterFile.read(file)) {
            case ClusterFile.Result.Good good -> good;
            case ClusterFile.Result.Bad bad -> throw new RefusedException(String.join("\n", bad.lines()));
        };
    }

    private static void awaitLeading(ControllerLoop loop) throws RefusedException {
        long end = System.nanoTime() + LEAD.toNanos();
        while (loop.view().filter(v -> v.state().leading()).isEmpty()) {
            if (System.nanoTime() > end) {
                throw new RefusedException("the journal did not get ready within " + LEAD.toSeconds() + " s");
            }
            try {
                TimeUnit.MILLISECONDS.sleep(5);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new RefusedException("interrupted while starting");
            }
        }
    }

    private static void apply(ControllerLoop loop, Path path, ClusterFile.Result.Good file) throws RefusedException {
        Answer answer = ask(loop, "start", new OperatorRequest.Apply(file.spec(), file.text()));
        LOG.info("cluster_file={} answer=\"{}\"", path, answer.text());
        if (!answer.accepted()) {
            throw new RefusedException(path + ": " + answer.text());
        }
    }

    private static Answer ask(ControllerLoop loop, String who, OperatorRequest request) throws RefusedException {
        try {
            return loop.ask(who, request).get(COMMIT.toMillis() * 2, TimeUnit.MILLISECONDS);
        } catch (TimeoutException | ExecutionException e) {
            throw new RefusedException("no answer from the controller's loop: " + e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new RefusedException("interrupted");
        }
    }

    /// A Raft server that closed itself (a pause of a minute, a failed disk) can never commit again.
    private static Thread watch(Journal journal, FaultHandler faults) {
        return Thread.ofVirtual().name("journal-watch").start(() -> {
            try {
                while (journal.alive()) {
                    TimeUnit.SECONDS.sleep(1);
                }
                faults.fault("journal", new IllegalStateException("the Raft server has closed itself"));
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
            }
        });
    }

    public int port() {
        return web.port();
    }

    /// What was last decided.
    public Optional<View> view() {
        return loop.view();
    }

    /// A planned stop (S9): every holder gets a lease that outlives the restart; then everything is closed.
    @Override
    public void close() throws IOException {
        try {
            Answer answer = ask(loop, "stop", new OperatorRequest.PlannedStop());
            LOG.info("stop=planned answer=\"{}\"", answer.text());
            loop.view().ifPresent(this::letGrantsArrive);
        } catch (RefusedException e) {
            LOG.warn("stop=unprepared cause=\"{}\"", e.getMessage());
        }
        abort();
    }

    /// The longer leases go out with the answers to the next heartbeats.
    private void letGrantsArrive(View view) {
        try {
            TimeUnit.NANOSECONDS.sleep(
                    view.state().timing().heartbeat().multipliedBy(2).toNanos());
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    /// Closes everything without preparing anybody for it, as a crash would.
    public void abort() throws IOException {
        watch.interrupt();
        notifier.close();
        loop.stop();
        authority.close();
        web.close();
        journal.close();
        exclusive.close();
    }
}
