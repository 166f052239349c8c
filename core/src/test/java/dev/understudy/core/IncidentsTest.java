package dev.understudy.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.core.notice.Audience;
import dev.understudy.core.notice.Incident;
import dev.understudy.core.notice.Incidents;
import dev.understudy.core.notice.Notice;
import dev.understudy.core.notice.Notice.Channel;
import dev.understudy.core.notice.Notice.Kind;
import dev.understudy.core.notice.NoticeChange;
import dev.understudy.core.notice.Notices;
import dev.understudy.core.notice.Pace;
import dev.understudy.core.notice.Severity;
import dev.understudy.core.notice.Symptom;
import dev.understudy.protocol.ClusterSpec.Mode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// What people are told, over virtual time, on a whole staged site.
class IncidentsTest {

    private static final Duration TURN = Duration.ofMillis(500);

    /// Everybody by mail; the database's people too, where it is about theirs.
    private static final Audience ALL = new Audience() {
        @Override
        public List<String> of(List<String> groups, Severity severity) {
            return groups.contains("shopdb")
                    ? List.of("dba@example.com", "ops@example.com")
                    : List.of("ops@example.com");
        }

        @Override
        public List<Channel> channels(List<String> to) {
            return to.isEmpty() ? List.of() : List.of(Channel.MAIL);
        }
    };

    private final StagedSite site = new StagedSite(Mode.AUTOMATIC);
    private final List<Notice> told = new ArrayList<>();
    private Pace pace = Pace.DEFAULT;
    private Incidents.Memory memory = Incidents.Memory.NONE;
    private boolean reminding = true;
    private boolean mailWorks = true;
    private boolean heldBack;
    private List<Symptom> others = List.of();

    @BeforeEach
    void quiet() {
        run(Duration.ofMinutes(2));
        assertThat(told).as("of a site that is well").isEmpty();
        assertThat(notices().revision()).as("begins where it is").isEqualTo(1);
    }

    /// Time passes, and the mailer looks twice a second.
    private void run(Duration time) {
        for (Duration passed = Duration.ZERO; passed.compareTo(time) < 0; passed = passed.plus(TURN)) {
            site.run(TURN);
            look();
        }
    }

    private void look() {
        boolean more = true;
        while (more) {
            Incidents.Step step = Incidents.step(memory, site.state(), site.now(), pace, ALL, others, reminding);
            memory = step.memory();
            heldBack = step.heldBack();
            NoticeChange change = step.change();
            more = change != null;
            if (change != null) {
                tell(change, step.text());
                told.addAll(change.queued());
            }
        }
        for (Notice notice : mailWorks ? notices().outbox() : List.<Notice>of()) {
            tell(NoticeChange.delivered(notices(), notice.id(), Channel.MAIL), "sent");
        }
    }

    private void tell(NoticeChange change, String text) {
        assertThat(site.decide(new Input.Operator("r", "mailer", new OperatorRequest.Tell(change, text))))
                .allMatch(Decision.Answer::accepted);
    }

    private Notices notices() {
        return site.state().journaled().notices();
    }

    private List<Kind> kinds() {
        return told.stream().map(Notice::kind).toList();
    }

    /// Every one but the first answers the first, and all have its title.
    private void oneThread() {
        assertThat(told).isNotEmpty();
        assertThat(told.stream().map(Notice::incident).distinct()).hasSize(1);
        assertThat(told.stream().map(Notice::title).distinct()).hasSize(1);
        assertThat(told.getFirst().answers()).isEmpty();
        assertThat(told.subList(1, told.size()))
                .allMatch(n -> n.answers().equals(told.getFirst().id()));
        assertThat(told.stream().map(Notice::id).distinct()).hasSameSizeAs(told);
    }

    @Test
    void aFailoverIsOneThreadFromItsOpeningToItsEnd() {
        site.host("db1").killService();
        run(Duration.ofSeconds(30));
        assertThat(kinds()).containsExactly(Kind.FAILOVER);
        Notice opening = told.getFirst();
        assertThat(opening.title()).isEqualTo("shopdb/primary moved from db1 to db2");
        assertThat(opening.severity()).isEqualTo(Severity.CRITICAL);
        assertThat(opening.to()).containsExactly("dba@example.com", "ops@example.com");
        assertThat(opening.happened().getFirst()).contains("db1 lost shopdb/primary");
        assertThat(opening.done().getFirst()).contains("was moved from db1 to db2 in ");
        assertThat(opening.done()).anyMatch(line -> line.contains("DB-20"));
        assertThat(opening.risk()).anyMatch(line -> line.startsWith("if db2 failed now as holder of shopdb/primary"));
        assertThat(opening.next()).contains("understudy status", "understudy ack " + opening.incident());
        assertThat(opening.topology()).contains(new Notice.Spot("shopdb", "db2", "primary", "up"));

        site.host("db1").startService();
        run(Duration.ofMinutes(5));
        assertThat(kinds()).containsExactly(Kind.FAILOVER, Kind.RESOLVED);
        oneThread();
        assertThat(notices().incidents()).isEmpty();
        assertThat(notices().past()).hasSize(1);
        assertThat(notices().outbox()).isEmpty();
    }

    /// The host's death takes the primary, and with it the replicas' source, the reader, the ackers.
    @Test
    void aDeadHostIsOneMailHoweverMuchFollowsFromIt() {
        site.host("db1").powerOff();
        site.host("db1").cut();
        run(Duration.ofMinutes(5));
        oneThread();
        assertThat(kinds()).containsExactly(Kind.FAILOVER);
        assertThat(told.getFirst().risk()).anyMatch(line -> line.contains("db1 is not heard"));
    }

    @Test
    void hostsThatFallSilentTogetherAreOneMail() {
        for (String host : List.of("lb2", "web2", "db3")) {
            site.host(host).cut();
        }
        run(Duration.ofMinutes(2));
        oneThread();
        assertThat(kinds()).containsExactly(Kind.FIRING);
        assertThat(told.getFirst().title()).isEqualTo("3 hosts are not heard: db3, lb2, web2");
        assertThat(told.getFirst().groups()).containsExactly("app", "edge", "shopdb");
    }

    @Test
    void troublesThatHaveNothingInCommonAreThreadsOfTheirOwn() {
        site.host("web1").cut();
        run(Duration.ofSeconds(20));
        site.host("lb1").killService();
        run(Duration.ofSeconds(20));
        assertThat(told.stream().map(Notice::title))
                .containsExactly(
                        "web1 is not heard: nobody reaches it (asked by web2)",
                        "edge/192.0.2.10 moved from lb1 to lb2");
        assertThat(told.stream().map(Notice::incident).distinct()).hasSize(2);
    }

    @Test
    void whatPassesByItselfIsNotTold() {
        for (int times = 0; times < 5; times++) {
            site.host("web1").cut();
            run(Duration.ofSeconds(8));
            site.host("web1").heal();
            run(Duration.ofSeconds(5));
        }
        assertThat(told).isEmpty();
    }

    @Test
    void anOperatorsMoveIsNoIncident() {
        assertThat(site.obey(new String[] {"move", "address", "lb2"}))
                .allMatch(answer -> answer.startsWith("accepted"));
        run(Duration.ofMinutes(2));
        assertThat(site.state().journaled().resources().get(StagedSite.ADDRESS))
                .isNotNull()
                .extracting(ResourceState::holder)
                .isEqualTo("lb2");
        assertThat(told).isEmpty();
    }

    @Test
    void aHostInMaintenanceIsNotReported() {
        site.obey(new String[] {"maintenance", "web1", "on"});
        site.host("web1").cut();
        run(Duration.ofMinutes(2));
        assertThat(told).isEmpty();
    }

    @Test
    void aPlanThatStopsIsTurnedIntoAMailWithWhatToType() {
        site.host("db1").killService();
        site.host("db3").cut();
        run(Duration.ofSeconds(40));
        Notice last = told.getLast();
        assertThat(last.severity()).isEqualTo(Severity.CRITICAL);
        assertThat(last.happened()).anyMatch(line -> line.contains("shopdb/primary is not held: BLOCKED"));
        assertThat(last.happened()).anyMatch(line -> line.contains("lose db3"));
        assertThat(last.next()).contains("understudy failover shopdb/primary --accept-loss");
    }

    @Test
    void remindersComeAfterOneTwoAndFourTimesTheTimeUntilSomebodyAcknowledges() {
        pace = new Pace(Duration.ofSeconds(10), Duration.ZERO, Duration.ofMinutes(1), Duration.ofMinutes(1), 60);
        site.host("web1").cut();
        run(Duration.ofSeconds(70));
        assertThat(kinds()).containsExactly(Kind.FIRING);
        run(Duration.ofSeconds(10));
        assertThat(kinds()).containsExactly(Kind.FIRING, Kind.REMINDER);
        run(Duration.ofSeconds(110));
        assertThat(told).hasSize(2);
        run(Duration.ofSeconds(10));
        assertThat(kinds()).containsExactly(Kind.FIRING, Kind.REMINDER, Kind.REMINDER);
        String id = told.getFirst().incident();
        assertThat(acknowledge(id).accepted()).isTrue();
        run(Duration.ofMinutes(10));
        assertThat(kinds()).containsExactly(Kind.FIRING, Kind.REMINDER, Kind.REMINDER, Kind.ACKNOWLEDGED);
        oneThread();
        assertThat(told.getLast().happened()).first().isEqualTo("acknowledged by alice: on it");
        assertThat(acknowledge(id).text()).isEqualTo(id + " was acknowledged by alice: on it already");
        assertThat(acknowledge("I7").text()).isEqualTo("there is no open incident 'I7' (open: " + id + ")");
    }

    private Decision.Answer acknowledge(String id) {
        return site.decide(new Input.Operator("r", "alice", new OperatorRequest.Acknowledge(id, "on it")))
                .getFirst();
    }

    @Test
    void remindersWaitForTheTimeInWhichTheyMayBeSent() {
        reminding = false;
        pace = new Pace(Duration.ofSeconds(10), Duration.ZERO, Duration.ofMinutes(1), Duration.ofMinutes(1), 60);
        site.host("web1").cut();
        run(Duration.ofMinutes(3));
        assertThat(kinds()).containsExactly(Kind.FIRING);
        reminding = true;
        run(TURN);
        assertThat(kinds()).containsExactly(Kind.FIRING, Kind.REMINDER);
    }

    @Test
    void aRestartedControllerGoesOnWithTheThread() {
        site.host("db1").killService();
        run(Duration.ofSeconds(11));
        int before = told.size();
        for (int restarts = 0; restarts < 3; restarts++) {
            memory = Incidents.Memory.NONE;
            site.restartController(site.state().journaled());
            run(Duration.ofSeconds(40));
        }
        assertThat(before).isEqualTo(1);
        assertThat(told).hasSize(1);
        site.host("db1").startService();
        memory = Incidents.Memory.NONE;
        site.restartController(site.state().journaled());
        run(Duration.ofMinutes(5));
        assertThat(kinds()).containsExactly(Kind.FAILOVER, Kind.RESOLVED);
        oneThread();
    }

    /// The failover is in the journal, the mailer died before it looked.
    @Test
    void aFailoverThatNobodyWasToldOfIsToldByTheNextController() {
        site.host("lb1").killService();
        site.run(Duration.ofSeconds(5));
        memory = Incidents.Memory.NONE;
        site.restartController(site.state().journaled());
        run(Duration.ofSeconds(30));
        assertThat(kinds()).containsExactly(Kind.FAILOVER);
        assertThat(told.getFirst().title()).isEqualTo("edge/192.0.2.10 moved from lb1 to lb2");
    }

    /// A new leader has heard nobody yet: neither is everybody silent, nor is it over.
    @Test
    void aControllerThatHasJustBegunJudgesNobody() {
        site.host("web1").cut();
        run(Duration.ofSeconds(30));
        assertThat(kinds()).containsExactly(Kind.FIRING);
        pace = new Pace(Duration.ZERO, Duration.ZERO, Duration.ofSeconds(1), Duration.ZERO, 60);
        memory = Incidents.Memory.NONE;
        List<String> everybody = List.of("lb1", "lb2", "web2", "db1", "db2", "db3");
        everybody.forEach(host -> site.host(host).cutFromController());
        site.restartController(site.state().journaled());
        run(Duration.ofSeconds(9));
        everybody.forEach(host -> site.host(host).heal());
        run(Duration.ofSeconds(30));
        assertThat(kinds()).containsExactly(Kind.FIRING);
    }

    @Test
    void whatIsTooMuchWaitsAndIsToldTogether() {
        pace = new Pace(Duration.ofSeconds(5), Duration.ZERO, Duration.ofSeconds(10), Duration.ZERO, 2);
        site.host("web1").cut();
        run(Duration.ofSeconds(30));
        site.host("db3").cut();
        run(Duration.ofSeconds(30));
        assertThat(told).hasSize(2);
        site.host("web1").heal();
        site.host("db3").heal();
        run(Duration.ofMinutes(5));
        assertThat(told).as("two in an hour").hasSize(2);
        assertThat(heldBack).isTrue();
        run(Duration.ofHours(1));
        assertThat(kinds()).containsExactly(Kind.FIRING, Kind.FIRING, Kind.RESOLVED, Kind.RESOLVED);
        assertThat(heldBack).isFalse();
    }

    @Test
    void whatCannotBeSentStaysInOrderAndIsLimited() {
        mailWorks = false;
        pace = new Pace(Duration.ZERO, Duration.ZERO, Duration.ofSeconds(1), Duration.ofMinutes(1), 1000);
        boolean waited = false;
        for (int i = 0; i < 30; i++) {
            site.host("web1").cut();
            run(Duration.ofSeconds(12));
            waited |= heldBack;
            site.host("web1").heal();
            run(Duration.ofSeconds(8));
        }
        assertThat(notices().outbox()).hasSize(Notices.MAX_OUTBOX);
        assertThat(notices().outbox()).isEqualTo(told);
        assertThat(waited).isTrue();
        mailWorks = true;
        run(Duration.ofMinutes(1));
        assertThat(notices().outbox()).isEmpty();
        assertThat(notices().incidents()).isEmpty();
    }

    @Test
    void whatIsNotInTheStateIsToldToo() {
        others = List.of(new Symptom(
                "certificate/shop.example.com:443",
                2,
                Severity.WARNING,
                "the certificate of shop.example.com:443 ends in 6 days",
                List.of("certificate/shop.example.com:443"),
                List.of("edge"),
                Duration.ZERO,
                ""));
        run(Duration.ofSeconds(20));
        assertThat(told.getFirst().title()).isEqualTo("the certificate of shop.example.com:443 ends in 6 days");
        others = List.of();
        run(Duration.ofMinutes(2));
        assertThat(kinds()).containsExactly(Kind.FIRING, Kind.RESOLVED);
    }

    /// What happened while nobody was told is history when somebody is told again.
    @Test
    void whoIsToldAgainIsToldOfWhatHappensThereafter() {
        site.host("web1").cut();
        run(Duration.ofSeconds(30));
        tell(NoticeChange.silence(notices()), "silence");
        assertThat(notices().incidents()).isEmpty();
        site.host("web1").heal();
        site.host("lb1").killService();
        site.run(Duration.ofSeconds(30));
        site.host("lb1").startService();
        site.run(Duration.ofSeconds(30));
        run(Duration.ofMinutes(2));
        assertThat(kinds()).containsExactly(Kind.FIRING);
    }

    @Test
    void aDecisionThatIsLateIsRefused() {
        NoticeChange late = NoticeChange.handled(0, 1);
        assertThat(site.decide(new Input.Operator("r", "mailer", new OperatorRequest.Tell(late, "late"))))
                .extracting(Decision.Answer::text)
                .containsExactly("something else was told meanwhile");
    }

    @Test
    void aBlindControllerIsOneMail() {
        for (String host : List.of("lb1", "lb2", "web1", "web2", "db1")) {
            site.host(host).cutFromController();
        }
        run(Duration.ofMinutes(1));
        oneThread();
        assertThat(told.getFirst().title()).contains("the controller hears 2 of 7 hosts");
        assertThat(Optional.of(notices().incidents().getFirst())
                        .map(Incident::topics)
                        .orElseThrow())
                .contains("controller");
    }
}
