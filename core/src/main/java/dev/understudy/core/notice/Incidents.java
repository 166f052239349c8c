package dev.understudy.core.notice;

import dev.understudy.core.Journaled;
import dev.understudy.core.Now;
import dev.understudy.core.State;
import dev.understudy.core.evidence.Evidence;
import dev.understudy.core.notice.Incident.Acknowledgement;
import dev.understudy.core.notice.Notice.Kind;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// Decides what becomes an incident, what people are told of it, and when it is over.
///
/// What is the matter ([Symptoms]) and what was moved ([Handover]) belong together when they share a host or a
/// resource; hosts that fall silent at one time belong together too, since a switch or a power line may be the
/// cause. What belongs to an open incident joins it; the rest waits for [Pace#gather] and opens one. So one cause
/// is one thread, whatever it entails.
///
/// One step makes one change at most, so that each can be journaled before the next is thought of. What was seen
/// and since when ([Memory]) is volatile: a new leader sees it again a little later.
public final class Incidents {

    /// A leader that has just begun has not heard everybody: it judges nobody for so long.
    static final Duration GRACE = Duration.ofSeconds(10);

    /// What happened longer ago, while nobody was told anything, is history.
    private static final Duration OLD = Duration.ofHours(24);

    /// What is not journaled.
    ///
    /// @param since when each symptom was first seen, without a break
    /// @param quiet since when nothing has been the matter with an incident
    public record Memory(Map<String, Instant> since, Map<String, Instant> quiet) {
        public static final Memory NONE = new Memory(Map.of(), Map.of());

        public Memory {
            since = Map.copyOf(since);
            quiet = Map.copyOf(quiet);
        }
    }

    /// What came of one step.
    ///
    /// @param change null: nothing is to be written down
    /// @param text one line for the history
    /// @param heldBack something is to be told and has to wait: too much was told, or waits to be sent
    public record Step(Memory memory, @Nullable NoticeChange change, String text, boolean heldBack) {}

    private final State state;
    private final Instant wall;
    private final Pace pace;
    private final Audience audience;
    private final boolean reminding;
    private final Evidence evidence;
    private final Facts facts;
    private final Notices notices;
    private final Map<String, Instant> since = new HashMap<>();
    private final Map<String, Instant> quiet = new HashMap<>();
    private final List<Symptom> symptoms;
    private boolean heldBack;

    private Incidents(
            Memory memory,
            State state,
            Now now,
            Pace pace,
            Audience audience,
            List<Symptom> others,
            boolean reminding) {
        this.state = state;
        this.wall = now.wall();
        this.pace = pace;
        this.audience = audience;
        this.reminding = reminding;
        this.evidence = new Evidence(state, now);
        this.facts = new Facts(evidence);
        this.notices = state.journaled().notices();
        this.symptoms = new ArrayList<>(Symptoms.of(evidence));
        this.symptoms.addAll(others);
        this.symptoms.forEach(s -> since.put(s.key(), memory.since().getOrDefault(s.key(), wall)));
        this.quiet.putAll(memory.quiet());
    }

    /// Looks at the state and decides the next thing to be told, if any.
    ///
    /// @param others symptoms that are not in the state, such as a certificate that ends soon
    /// @param reminding whether a reminder may be sent now
    public static Step step(
            Memory memory,
            State state,
            Now now,
            Pace pace,
            Audience audience,
            List<Symptom> others,
            boolean reminding) {
        if (!state.leading() || state.journaled().spec() == null) {
            return new Step(Memory.NONE, null, "", false);
        }
        Notices notices = state.journaled().notices();
        if (notices.handled() == Notices.SILENT) {
            return new Step(
                    memory,
                    NoticeChange.handled(notices.revision(), latest(state.journaled())),
                    "people are told of what happens from now on",
                    false);
        }
        Evidence evidence = new Evidence(state, now);
        if (state.catchingUp() || evidence.leading().compareTo(GRACE) < 0) {
            return new Step(memory, null, "", false);
        }
        return new Incidents(memory, state, now, pace, audience, others, reminding).step();
    }

    private static long latest(Journaled journaled) {
        return journaled.nextEvent() - 1;
    }

    /// What belongs to one incident now.
    private static final class Share {
        final List<Symptom> symptoms = new ArrayList<>();
        final List<Handover> handovers = new ArrayList<>();
        final Set<String> topics = new LinkedHashSet<>();

        boolean shares(List<String> others) {
            return others.stream().anyMatch(topics::contains);
        }

        void add(Symptom symptom) {
            symptoms.add(symptom);
            topics.addAll(symptom.topics());
        }

        void add(Handover handover) {
            handovers.add(handover);
            topics.addAll(handover.topics());
        }

        void add(Share other) {
            symptoms.addAll(other.symptoms);
            handovers.addAll(other.handovers);
            topics.addAll(other.topics);
        }

        boolean hasSilence() {
            return symptoms.stream().anyMatch(s -> s.order() == Symptom.SILENT);
        }

        List<String> groups() {
            List<String> groups = new ArrayList<>();
            symptoms.forEach(s -> groups.addAll(s.groups()));
            handovers.forEach(h -> groups.add(h.resource().group()));
            return Incident.union(groups, List.of());
        }

        Severity severity() {
            return symptoms.stream()
                    .map(Symptom::severity)
                    .reduce(handovers.isEmpty() ? Severity.INFO : Severity.CRITICAL, Severity::worse);
        }

        List<Symptom> sorted() {
            return symptoms.stream()
                    .sorted(Comparator.comparingInt(Symptom::order)
                            .thenComparing(Symptom::severity, Comparator.reverseOrder())
                            .thenComparing(Symptom::key))
                    .toList();
        }
    }

    private Step step() {
        List<Handover> handovers =
                new ArrayList<>(Handover.since(state.journaled(), notices.handled(), wall.minus(OLD)));
        List<Symptom> left = new ArrayList<>(symptoms);
        Map<String, Share> shares = new HashMap<>();
        for (Incident incident : notices.incidents()) {
            shares.put(incident.id(), claim(incident, left, handovers));
        }
        for (Incident incident : notices.incidents()) {
            Share share = Objects.requireNonNull(shares.get(incident.id()));
            Optional<Step> step = turn(incident, share);
            if (step.isPresent()) {
                return step.get();
            }
        }
        return open(left, handovers).orElseGet(() -> new Step(memory(), null, "", heldBack));
    }

    private Memory memory() {
        Set<String> open = new HashSet<>();
        notices.incidents().forEach(i -> open.add(i.id()));
        quiet.keySet().retainAll(open);
        return new Memory(since, quiet);
    }

    /// Takes what belongs to the incident out of what is left.
    private static Share claim(Incident incident, List<Symptom> left, List<Handover> handovers) {
        Share share = new Share();
        share.topics.addAll(incident.topics());
        boolean more = true;
        while (more) {
            more = false;
            for (Handover handover : List.copyOf(handovers)) {
                if (share.shares(handover.topics())) {
                    share.add(handover);
                    handovers.remove(handover);
                    more = true;
                }
            }
            for (Symptom symptom : List.copyOf(left)) {
                if (incident.active().containsKey(symptom.key()) || share.shares(symptom.topics())) {
                    share.add(symptom);
                    left.remove(symptom);
                    more = true;
                }
            }
        }
        return share;
    }

    /// The next thing to tell of an open incident.
    private Optional<Step> turn(Incident incident, Share share) {
        if (!share.symptoms.isEmpty() || !share.handovers.isEmpty()) {
            quiet.remove(incident.id());
        } else if (since(quiet.computeIfAbsent(incident.id(), _ -> wall)).compareTo(pace.settle()) >= 0) {
            return tell(incident, share, Kind.RESOLVED);
        }
        Acknowledgement word = incident.acknowledged();
        if (word != null && word.at().isAfter(incident.told())) {
            return tell(incident, share, Kind.ACKNOWLEDGED);
        }
        Duration silent = since(incident.told());
        if (silent.compareTo(pace.update()) < 0) {
            return Optional.empty();
        }
        if (!share.handovers.isEmpty()) {
            return tell(incident, share, Kind.FAILOVER);
        }
        boolean worse = share.symptoms.stream()
                .filter(this::ripe)
                .anyMatch(s ->
                        s.severity() == Severity.CRITICAL && !incident.active().containsKey(s.key()));
        if (worse) {
            return tell(incident, share, Kind.FIRING);
        }
        if (reminding
                && word == null
                && !pace.remind().isZero()
                && !share.symptoms.isEmpty()
                && silent.compareTo(pace.remindAfter(incident.reminders())) >= 0) {
            return tell(incident, share, Kind.REMINDER);
        }
        return Optional.empty();
    }

    private boolean ripe(Symptom symptom) {
        return since(since.getOrDefault(symptom.key(), wall)).compareTo(symptom.patience()) >= 0;
    }

    private boolean gathered(Share share) {
        return share.handovers.stream().anyMatch(h -> since(h.at()).compareTo(pace.gather()) >= 0)
                || share.symptoms.stream()
                        .anyMatch(s -> since(since.getOrDefault(s.key(), wall))
                                        .compareTo(s.patience().plus(pace.gather()))
                                >= 0);
    }

    private Duration since(Instant then) {
        return Duration.between(then, wall);
    }

    /// Opens an incident for the oldest of what belongs to none.
    private Optional<Step> open(List<Symptom> left, List<Handover> handovers) {
        for (Share share : clusters(left, handovers)) {
            if (!gathered(share)) {
                continue;
            }
            if (notices.incidents().size() >= Notices.MAX_INCIDENTS || full()) {
                heldBack = true;
                continue;
            }
            String id = "I" + state.journaled().nextEvent();
            Kind kind = share.handovers.isEmpty() ? Kind.FIRING : Kind.FAILOVER;
            Incident fresh = new Incident(
                    id,
                    wall,
                    share.severity(),
                    title(share),
                    List.copyOf(share.topics),
                    share.groups(),
                    List.of(),
                    "",
                    0,
                    wall,
                    0,
                    new TreeMap<>(),
                    List.of(),
                    null);
            return Optional.of(told(fresh, share, kind));
        }
        return Optional.empty();
    }

    private static List<Share> clusters(List<Symptom> left, List<Handover> handovers) {
        List<Share> clusters = new ArrayList<>();
        for (Handover handover : handovers) {
            Share share = new Share();
            share.add(handover);
            merge(clusters, share);
        }
        for (Symptom symptom : left) {
            Share share = new Share();
            share.add(symptom);
            merge(clusters, share);
        }
        return clusters;
    }

    private static void merge(List<Share> clusters, Share fresh) {
        for (Share known : List.copyOf(clusters)) {
            if (known.shares(List.copyOf(fresh.topics)) || (known.hasSilence() && fresh.hasSilence())) {
                clusters.remove(known);
                fresh.add(known);
            }
        }
        clusters.add(fresh);
    }

    private static String title(Share share) {
        if (!share.handovers.isEmpty()) {
            return String.join(
                    ", ", share.handovers.stream().map(Handover::title).toList());
        }
        List<Symptom> silent = share.sorted().stream()
                .filter(s -> s.key().startsWith("silent/"))
                .toList();
        return silent.size() > 1
                ? silent.size() + " hosts are not heard: "
                        + String.join(
                                ", ",
                                silent.stream()
                                        .map(s -> s.key().substring("silent/".length()))
                                        .toList())
                : share.sorted().getFirst().text();
    }

    private boolean full() {
        return notices.queuedSince(wall.minus(Duration.ofHours(1))) >= pace.mostPerHour()
                || notices.outbox().size() >= Notices.MAX_OUTBOX;
    }

    private Optional<Step> tell(Incident incident, Share share, Kind kind) {
        if (full()) {
            heldBack = true;
            return Optional.empty();
        }
        return Optional.of(told(incident, share, kind));
    }

    private Step told(Incident incident, Share share, Kind kind) {
        List<String> groups = Incident.union(incident.groups(), share.groups());
        Severity severity = incident.severity().worse(share.severity());
        List<String> to = Incident.union(incident.to(), audience.of(groups, severity));
        String noticeId = incident.id() + "." + (incident.notices() + 1);
        List<String> news = news(incident, share);
        List<String> story = story(incident.story(), news);
        Notice notice = new Notice(
                noticeId,
                incident.id(),
                incident.first(),
                kind,
                severity,
                incident.opened(),
                wall,
                incident.title(),
                groups,
                to,
                happened(incident, kind, news, story),
                done(incident, share, kind),
                kind == Kind.RESOLVED ? facts.readiness(groups) : risk(share, groups),
                next(incident, share, kind),
                facts.topology(),
                audience.channels(to));
        TreeMap<String, String> active = new TreeMap<>();
        share.symptoms.forEach(s -> active.put(s.key(), s.text()));
        Incident next = new Incident(
                incident.id(),
                incident.opened(),
                severity,
                incident.title(),
                Incident.union(incident.topics(), share.topics),
                groups,
                to,
                incident.first().isEmpty() ? noticeId : incident.first(),
                incident.notices() + 1,
                wall,
                incident.reminders() + (kind == Kind.REMINDER ? 1 : 0),
                active,
                story,
                incident.acknowledged());
        boolean over = kind == Kind.RESOLVED;
        NoticeChange change = new NoticeChange(
                notices.revision(),
                handled(share),
                List.of(next),
                over ? List.of(incident.id()) : List.of(),
                null,
                List.of(notice),
                List.of(),
                null,
                null);
        return new Step(
                memory(),
                change,
                "incident " + incident.id() + " " + kind.name().toLowerCase(Locale.ROOT) + ": "
                        + incident.title()
                        + (to.isEmpty() ? "" : " (mail to " + to.size() + ")"),
                heldBack);
    }

    /// Up to where every event has been looked at, once this share has been told: a failover that waits is looked
    /// at again.
    private long handled(Share share) {
        Set<Long> told = new HashSet<>();
        share.handovers.forEach(h -> told.add(h.number()));
        return Handover.since(state.journaled(), notices.handled(), wall.minus(OLD)).stream()
                .filter(h -> !told.contains(h.number()))
                .mapToLong(h -> h.number() - 1)
                .min()
                .orElse(latest(state.journaled()));
    }

    /// What has happened since people were told last.
    private List<String> news(Incident incident, Share share) {
        List<String> news = new ArrayList<>();
        share.handovers.forEach(h -> news.add(Facts.happened(h)));
        share.sorted().stream()
                .filter(s -> !incident.active().containsKey(s.key()))
                .forEach(s -> news.add(Facts.at(since.getOrDefault(s.key(), wall), s.text())));
        Set<String> still = new HashSet<>();
        share.symptoms.forEach(s -> still.add(s.key()));
        incident.active().forEach((key, text) -> {
            if (!still.contains(key)) {
                news.add("over: " + text);
            }
        });
        return news;
    }

    private static List<String> story(List<String> before, List<String> news) {
        List<String> all = new ArrayList<>(before);
        all.addAll(news);
        if (all.size() <= Incident.MAX_STORY) {
            return all;
        }
        List<String> kept = new ArrayList<>(all.subList(0, Incident.MAX_STORY / 2));
        kept.addAll(all.subList(all.size() - Incident.MAX_STORY / 2, all.size()));
        return kept;
    }

    private List<String> happened(Incident incident, Kind kind, List<String> news, List<String> story) {
        List<String> lines = new ArrayList<>();
        Acknowledgement word = incident.acknowledged();
        String lasted = "from " + Facts.at(incident.opened(), "UTC") + ", " + Facts.length(since(incident.opened()));
        switch (kind) {
            case RESOLVED -> {
                lines.add("it is over: it lasted " + lasted);
                lines.addAll(story);
            }
            case REMINDER -> {
                lines.add("it still lasts: " + lasted + ", and nobody has acknowledged it");
                lines.addAll(news.isEmpty() ? story : news);
            }
            case ACKNOWLEDGED -> {
                lines.add(word == null ? "" : word.describe());
                lines.addAll(news);
            }
            case FIRING, FAILOVER, DIGEST, TEST -> lines.addAll(news);
        }
        return lines;
    }

    private List<String> done(Incident incident, Share share, Kind kind) {
        List<String> lines = new ArrayList<>();
        share.handovers.forEach(h -> lines.addAll(Facts.done(h)));
        if (!lines.isEmpty()) {
            return lines;
        }
        return switch (kind) {
            case RESOLVED -> List.of();
            case ACKNOWLEDGED -> List.of("no reminders of it are sent any more");
            case FIRING, FAILOVER, REMINDER, DIGEST, TEST -> {
                boolean stuck = share.symptoms.stream().anyMatch(s -> s.order() == Symptom.RESOURCE);
                yield List.of(
                        stuck
                                ? "nothing was moved: see why above"
                                : incident.notices() > 0
                                        ? "nothing new"
                                        : "nothing: what Understudy moves is where it should be");
            }
        };
    }

    private List<String> risk(Share share, List<String> groups) {
        List<String> lines = new ArrayList<>();
        share.sorted().forEach(s -> lines.add("still: " + s.text()));
        lines.addAll(facts.readiness(groups));
        return lines;
    }

    private List<String> next(Incident incident, Share share, Kind kind) {
        Set<String> lines = new LinkedHashSet<>();
        share.sorted().stream().map(Symptom::next).filter(n -> !n.isEmpty()).forEach(lines::add);
        share.handovers.forEach(h -> lines.add("understudy explain " + h.firstEvent()));
        if (kind == Kind.RESOLVED) {
            lines.add("understudy status");
            return List.copyOf(lines);
        }
        lines.add("understudy status");
        if (incident.acknowledged() == null) {
            lines.add("understudy ack " + incident.id());
        }
        return List.copyOf(lines);
    }
}
