package dev.understudy.controller.mail;

import dev.understudy.controller.journal.Authority;
import dev.understudy.controller.loop.ControllerLoop;
import dev.understudy.controller.loop.FaultHandler;
import dev.understudy.controller.loop.Ticking;
import dev.understudy.controller.mail.NoticeSettings.Mail;
import dev.understudy.controller.mail.NoticeSettings.Schedule;
import dev.understudy.controller.mail.NoticeSettings.Webhook;
import dev.understudy.core.Now;
import dev.understudy.core.State;
import dev.understudy.core.notice.Digest;
import dev.understudy.core.notice.Incident;
import dev.understudy.core.notice.Incidents;
import dev.understudy.core.notice.Notice;
import dev.understudy.core.notice.Notice.Channel;
import dev.understudy.core.notice.NoticeChange;
import dev.understudy.core.notice.Notices;
import dev.understudy.core.notice.Severity;
import dev.understudy.core.notice.Symptom;
import dev.understudy.protocol.Moment;
import dev.understudy.wire.metrics.Metrics;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Tells people: decides twice a second, sends, runs the calendar, and requests the watchdog's URL. Only while this
/// controller leads. Its threads wait for the loop and for others' servers; the loop waits for none of them.
public final class Notifier implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Notifier.class);
    private static final Duration TURN = Duration.ofMillis(500);

    /// A notice that waits longer than this is a reason for the watchdog outside to ring.
    private static final Duration STUCK = Duration.ofMinutes(5);

    private final Site site;
    private final Metrics metrics;
    private final FaultHandler faults;
    private final Templates templates = new Templates();
    private final Writer writer;
    private final Outside outside = new Outside();

    /// Made when somebody is to be told something: it takes time that a start has not.
    private volatile @Nullable Calendar calendar;

    private final Postman mails;
    private final Postman webhooks;
    private final AtomicBoolean reminding = new AtomicBoolean();
    private final AtomicBoolean checking = new AtomicBoolean(true);
    private final List<Thread> threads = new ArrayList<>();
    private final Metrics.Level heldBack;
    private volatile List<Symptom> found = List.of();
    private Incidents.Memory memory = Incidents.Memory.NONE;
    private long term;

    private Notifier(Site site, String controller, Metrics metrics, FaultHandler faults) {
        this.site = site;
        this.metrics = metrics;
        this.faults = faults;
        this.writer = new Writer(templates, controller);
        this.mails = new Postman(Channel.MAIL, site, this::mail, metrics);
        this.webhooks = new Postman(Channel.WEBHOOK, site, this::webhook, metrics);
        this.heldBack = metrics.level(
                "understudy_notifications_held_back", "1 while something is to be told and too much was told already");
        for (Severity severity : Severity.values()) {
            String name = severity.name().toLowerCase(Locale.ROOT);
            metrics.gauge(
                    "understudy_incidents",
                    "Open incidents, by their worst severity so far",
                    () -> open(severity),
                    "severity",
                    name);
        }
    }

    /// Starts its threads. A fault of programming in one of them ends the process, as one in the loop does.
    public static Notifier start(
            ControllerLoop loop,
            Authority authority,
            Ticking clock,
            String controller,
            Metrics metrics,
            FaultHandler faults) {
        Notifier notifier = new Notifier(new Site(loop, authority, clock), controller, metrics, faults);
        notifier.begin("incidents", notifier::decide);
        notifier.begin("checks", notifier::check);
        notifier.begin("mails", notifier.mails::run);
        notifier.begin("webhooks", notifier.webhooks::run);
        notifier.begin("heartbeat", notifier::heartbeat);
        return notifier;
    }

    private interface Work {
        void run() throws InterruptedException;
    }

    private void begin(String name, Work work) {
        threads.add(Thread.ofVirtual().name(name).start(() -> {
            try {
                work.run();
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
            } catch (RuntimeException | Error e) {
                faults.fault(name, e);
            }
        }));
    }

    /// Why what waits is not sent, by channel, and what is wrong with templates; empty while all is well.
    public Map<String, String> troubles() {
        Map<String, String> troubles = new LinkedHashMap<>();
        if (!mails.trouble().isEmpty()) {
            troubles.put("mail", mails.trouble());
        }
        if (!webhooks.trouble().isEmpty()) {
            troubles.put("webhook", webhooks.trouble());
        }
        templates.broken().forEach((name, why) -> troubles.put("template " + name, why));
        return troubles;
    }

    /// Queues a mail that shows whether mails arrive.
    ///
    /// @return the notice, empty if nobody would get it
    /// @throws IllegalStateException if this controller does not lead
    public Optional<Notice> test(String who) throws InterruptedException {
        State state = site.leading().orElseThrow(() -> new IllegalStateException("this controller does not lead"));
        Notice notice = Digest.test(state, site.now(), who, new Recipients(site.settings(state)));
        if (notice.pending().isEmpty()) {
            return Optional.empty();
        }
        String text = who + " asked for a test mail (" + notice.id() + ")";
        if (!site.tell(notices -> NoticeChange.queueing(notices, notice, null), text)) {
            throw new IllegalStateException("it could not be written down");
        }
        return Optional.of(notice);
    }

    private double open(Severity severity) {
        return site.leading()
                .map(s -> (double) s.journaled().notices().incidents().stream()
                        .filter(i -> i.severity() == severity)
                        .count())
                .orElse(0.0);
    }

    private void decide() throws InterruptedException {
        while (true) {
            Optional<State> state = site.leading();
            if (state.isPresent()) {
                round(state.get());
            } else {
                memory = Incidents.Memory.NONE;
            }
            TimeUnit.NANOSECONDS.sleep(TURN.toNanos());
        }
    }

    private Calendar calendar() {
        Calendar known = calendar;
        if (known == null) {
            known = new Calendar(
                    new Calendar.Jobs(this::digest, () -> reminding.set(true), () -> checking.set(true), this::forget));
            calendar = known;
        }
        return known;
    }

    private void round(State first) throws InterruptedException {
        if (term != first.term()) {
            term = first.term();
            memory = Incidents.Memory.NONE;
            checking.set(true);
        }
        NoticeSettings settings = site.settings(first);
        Notices notices = first.journaled().notices();
        if (!settings.tells()) {
            silence(notices);
            return;
        }
        calendar().follow(settings.schedule());
        if (missedDigest(settings.schedule(), notices, site.now().wall()).isPresent()) {
            digest();
        }
        boolean remind = reminding.getAndSet(false);
        Optional<State> state = site.leading();
        boolean more = true;
        while (more && state.isPresent()) {
            Incidents.Step step = Incidents.step(
                    memory, state.get(), site.now(), settings.pace(), new Recipients(settings), found, remind);
            memory = step.memory();
            heldBack.set(step.heldBack() ? 1 : 0);
            NoticeChange change = step.change();
            more = change != null && site.tell(change, step.text()) != null;
            state = site.leading();
        }
    }

    /// Nobody is told anything any more: what was open is closed without a word, and nothing waits.
    private void silence(Notices notices) throws InterruptedException {
        for (Notice waiting : notices.outbox()) {
            for (Channel channel : waiting.pending()) {
                var _ = site.tell(
                        now -> NoticeChange.delivered(now, waiting.id(), channel),
                        waiting.id() + " is not sent: cluster.yml names nobody who is told");
            }
        }
        if (notices.handled() != Notices.SILENT) {
            var _ = site.tell(NoticeChange::silence, "nobody is told anything any more: cluster.yml names nobody");
        }
    }

    private static Optional<Instant> missedDigest(Schedule schedule, Notices notices, Instant now) {
        Instant last = notices.digest();
        return last == null ? Optional.empty() : Calendar.due(schedule, last, now);
    }

    /// Queues the latest digest that was due, if it was not queued before: also by another controller.
    private void digest() {
        Optional<State> leading = site.leading();
        if (leading.isEmpty()) {
            return;
        }
        State state = leading.get();
        NoticeSettings settings = site.settings(state);
        Now now = site.now();
        Instant last = state.journaled().notices().digest();
        Instant from = last == null ? now.wall().minus(Duration.ofDays(1)) : last;
        Optional<Instant> due = Calendar.due(settings.schedule(), from, now.wall());
        if (due.isEmpty() || !settings.tells()) {
            return;
        }
        Notice notice = Digest.of(state, now, due.get(), from, new Recipients(settings));
        try {
            var _ = site.tell(
                    notices -> last == null || last.equals(notices.digest())
                            ? NoticeChange.queueing(notices, notice, due.get())
                            : NoticeChange.handled(notices.revision(), notices.handled()),
                    "digest " + notice.id() + " since " + from);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    /// Retention: incidents that were over long ago.
    private void forget() {
        Optional<State> leading = site.leading();
        if (leading.isEmpty()) {
            return;
        }
        State state = leading.get();
        Instant oldest = site.now().wall().minus(site.settings(state).schedule().keep());
        List<Incident.Past> all = state.journaled().notices().past();
        long old = all.stream().filter(p -> p.closed().isBefore(oldest)).count();
        if (old == 0) {
            return;
        }
        try {
            var _ = site.tell(
                    notices -> NoticeChange.remembering(
                            notices,
                            notices.past().stream()
                                    .filter(p -> !p.closed().isBefore(oldest))
                                    .toList()),
                    old + " incidents that were over before " + oldest + " are forgotten");
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    /// Looks at certificates and backups whenever the calendar says so, and when this controller begins to lead.
    private void check() throws InterruptedException {
        while (true) {
            // not in its first seconds, when members have not told yet
            Optional<State> state = site.sending();
            if (state.isPresent() && checking.getAndSet(false)) {
                NoticeSettings settings = site.settings(state.get());
                Now now = site.now();
                List<Symptom> all = new ArrayList<>(Backups.tooOld(state.get(), now));
                all.addAll(Certificates.endingSoon(state.get(), settings, now.wall()));
                found = List.copyOf(all);
            }
            TimeUnit.NANOSECONDS.sleep(TURN.toNanos());
        }
    }

    private Delivery mail(Notice notice, State state) {
        Mail mail = site.settings(state).mail();
        if (mail == null) {
            return Delivery.refused("cluster.yml has no mail any more");
        }
        return Smtp.send(mail.smtp(), writer.letter(notice, state.spec().cluster(), mail));
    }

    private Delivery webhook(Notice notice, State state) {
        NoticeSettings settings = site.settings(state);
        Webhook webhook = settings.webhook();
        if (webhook == null) {
            return Delivery.refused("cluster.yml has no webhook any more");
        }
        Mail mail = settings.mail();
        Map<String, Object> message = writer.message(notice, state.spec().cluster(), mail == null ? null : mail.url());
        return outside.post(
                webhook,
                state.spec().cluster() + "." + notice.id() + "."
                        + notice.opened().getEpochSecond(),
                message);
    }

    /// The watchdog outside rings when it is not requested any more.
    private void heartbeat() throws InterruptedException {
        Moment due = site.now().mono();
        String said = "";
        while (true) {
            Optional<State> state = site.sending();
            NoticeSettings settings = state.map(site::settings).orElse(NoticeSettings.NONE);
            String url = settings.heartbeatUrl();
            if (state.isPresent() && url != null && !site.now().mono().isBefore(due)) {
                due = site.now().mono().plus(settings.heartbeatEvery());
                Optional<String> trouble = unwell(state.get());
                String now = trouble.isPresent() ? "withheld: " + trouble.get() : beat(url);
                if (!now.equals(said)) {
                    LOG.info("heartbeat=\"{}\"", now);
                }
                said = now;
            }
            TimeUnit.NANOSECONDS.sleep(TURN.toNanos());
        }
    }

    private String beat(String url) {
        Delivery delivery = outside.get(url);
        metrics.counter(
                        "understudy_heartbeats_total",
                        "Requests of heartbeat_url, by their end",
                        "result",
                        delivery.result().name().toLowerCase(Locale.ROOT))
                .increment();
        return delivery.text();
    }

    /// Why somebody should look who would not look by himself: something critical is open that nobody has
    /// acknowledged, or nobody can be told.
    private Optional<String> unwell(State state) {
        Notices notices = state.journaled().notices();
        Instant longAgo = site.now().wall().minus(STUCK);
        Optional<String> stuck = notices.outbox().stream()
                .filter(n -> n.at().isBefore(longAgo))
                .map(n -> "notice " + n.id() + " cannot be sent")
                .findFirst();
        return stuck.or(() -> notices.incidents().stream()
                .filter(i -> i.severity() == Severity.CRITICAL && i.acknowledged() == null)
                .map(i -> "incident " + i.id() + " is open")
                .findFirst());
    }

    @Override
    public void close() {
        threads.forEach(Thread::interrupt);
        Calendar known = calendar;
        if (known != null) {
            known.close();
        }
        outside.close();
    }
}
