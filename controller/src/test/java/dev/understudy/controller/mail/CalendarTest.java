package dev.understudy.controller.mail;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.understudy.controller.mail.NoticeSettings.Schedule;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class CalendarTest {

    private static final Schedule DAILY = new Schedule(
            ZoneId.of("Europe/Berlin"),
            "0 0 8 * * ?",
            "0 * * * * ?",
            "0 7 * * * ?",
            "0 33 3 * * ?",
            Duration.ofDays(90));

    @Test
    void aDigestThatWasDueWhileNobodyRanIsDueOnceThereafter() {
        Instant last = Instant.parse("2026-11-28T07:00:00Z");
        assertThat(Calendar.due(DAILY, last, Instant.parse("2026-11-29T06:59:59Z")))
                .isEmpty();
        assertThat(Calendar.due(DAILY, last, Instant.parse("2026-11-29T07:00:00Z")))
                .contains(Instant.parse("2026-11-29T07:00:00Z"));
        assertThat(Calendar.due(DAILY, last, Instant.parse("2026-12-03T12:00:00Z")))
                .as("one for all that were missed")
                .contains(Instant.parse("2026-12-03T07:00:00Z"));
    }

    @Test
    void runsWhatItIsToldAtItsTimes() {
        AtomicInteger reminders = new AtomicInteger();
        AtomicInteger others = new AtomicInteger();
        Calendar.Jobs jobs = new Calendar.Jobs(
                others::incrementAndGet, reminders::incrementAndGet, others::incrementAndGet, others::incrementAndGet);
        try (Calendar calendar = new Calendar(jobs)) {
            Schedule never = new Schedule(
                    ZoneId.of("UTC"), null, "* * * * * ?", "0 0 0 1 1 ? 2099", "0 0 0 1 1 ? 2099", Duration.ofDays(1));
            calendar.follow(never);
            await().until(() -> reminders.get() >= 2);
            assertThat(others).hasValue(0);
        }
    }
}
