package dev.understudy.controller.mail;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.controller.mail.NoticeSettings.Mail;
import dev.understudy.controller.mail.NoticeSettings.Route;
import dev.understudy.controller.mail.NoticeSettings.Security;
import dev.understudy.core.notice.Notice.Channel;
import dev.understudy.core.notice.Pace;
import dev.understudy.core.notice.Severity;
import java.util.List;
import org.junit.jupiter.api.Test;

class RecipientsTest {

    private static final NoticeSettings SETTINGS = new NoticeSettings(
            new Mail(
                    Samples.smtp(587, Security.STARTTLS, null, null),
                    "from@x.example",
                    List.of("ops@x.example"),
                    Severity.WARNING,
                    List.of(
                            new Route(
                                    List.of("shopdb"), Severity.CRITICAL, List.of("pager@x.example", "dba@x.example")),
                            new Route(List.of("shopdb"), Severity.INFO, List.of("dba@x.example"))),
                    null,
                    null),
            null,
            null,
            NoticeSettings.HEARTBEAT_EVERY,
            Pace.DEFAULT,
            NoticeSettings.Schedule.DEFAULT);

    private final Recipients recipients = new Recipients(SETTINGS);

    @Test
    void theFirstRouteThatFitsGetsItOrElseTheUsualOnes() {
        assertThat(recipients.of(List.of("shopdb"), Severity.CRITICAL))
                .containsExactly("dba@x.example", "pager@x.example");
        assertThat(recipients.of(List.of("shopdb"), Severity.WARNING)).containsExactly("dba@x.example");
        assertThat(recipients.of(List.of("edge"), Severity.CRITICAL)).containsExactly("ops@x.example");
        assertThat(recipients.of(List.of("edge"), Severity.INFO)).isEmpty();
    }

    @Test
    void whatConcernsSeveralGroupsGoesToThePeopleOfEach() {
        assertThat(recipients.of(List.of("edge", "shopdb"), Severity.CRITICAL))
                .containsExactly("dba@x.example", "ops@x.example", "pager@x.example");
        assertThat(recipients.channels(List.of("a@x.example"))).containsExactly(Channel.MAIL);
        assertThat(recipients.channels(List.of())).isEmpty();
    }
}
