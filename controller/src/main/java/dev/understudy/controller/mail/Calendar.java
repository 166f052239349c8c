package dev.understudy.controller.mail;

import dev.understudy.controller.mail.NoticeSettings.Schedule;
import java.text.ParseException;
import java.time.Instant;
import java.util.Date;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Properties;
import java.util.TimeZone;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.quartz.CronExpression;
import org.quartz.CronScheduleBuilder;
import org.quartz.Job;
import org.quartz.JobBuilder;
import org.quartz.JobKey;
import org.quartz.Scheduler;
import org.quartz.SchedulerException;
import org.quartz.TriggerBuilder;
import org.quartz.impl.StdSchedulerFactory;

/// What the calendar runs, by Quartz. Nothing of it is kept on disk: what must not happen twice, or be left out
/// because no controller ran, is known from the journal.
///
/// Misfires (the job could not begin within a minute of its time: the process was frozen, all threads were busy): a
/// digest is still wanted, once; the others are not, since their next time is near and they look at the present.
final class Calendar implements AutoCloseable {

    private static final AtomicLong NUMBER = new AtomicLong();
    private static final int MOST_TIMES = 100_000;

    /// What is run at its times; may block, not long.
    record Jobs(Runnable digest, Runnable reminders, Runnable checks, Runnable retention) {
        Map<String, Runnable> byName() {
            return Map.of("digest", digest, "reminders", reminders, "checks", checks, "retention", retention);
        }
    }

    private final Scheduler scheduler;
    private @Nullable Schedule schedule;

    Calendar(Jobs jobs) {
        Map<String, Runnable> byName = jobs.byName();
        Properties properties = new Properties();
        properties.put("org.quartz.scheduler.instanceName", "understudy-" + NUMBER.incrementAndGet());
        properties.put("org.quartz.scheduler.skipUpdateCheck", "true");
        properties.put("org.quartz.scheduler.makeSchedulerThreadDaemon", "true");
        properties.put("org.quartz.threadPool.class", "org.quartz.simpl.SimpleThreadPool");
        properties.put("org.quartz.threadPool.threadCount", "2");
        properties.put("org.quartz.threadPool.makeThreadsDaemons", "true");
        properties.put("org.quartz.jobStore.class", "org.quartz.simpl.RAMJobStore");
        try {
            scheduler = new StdSchedulerFactory(properties).getScheduler();
            scheduler.setJobFactory((bundle, _) -> (Job) _ -> Objects.requireNonNull(
                            byName.get(bundle.getJobDetail().getKey().getName()))
                    .run());
            scheduler.start();
        } catch (SchedulerException e) {
            throw new IllegalStateException("the scheduler cannot be made", e);
        }
    }

    /// Puts another schedule in force; nothing happens when it is the one in force.
    synchronized void follow(Schedule next) {
        if (next.equals(schedule)) {
            return;
        }
        try {
            scheduler.clear();
            add("digest", next.digest(), next, true);
            add("reminders", next.reminders(), next, false);
            add("checks", next.checks(), next, false);
            add("retention", next.retention(), next, false);
            schedule = next;
        } catch (SchedulerException e) {
            throw new IllegalStateException("the schedule was checked and cannot be followed", e);
        }
    }

    private void add(String name, @Nullable String cron, Schedule all, boolean evenLate) throws SchedulerException {
        if (cron == null) {
            return;
        }
        CronScheduleBuilder times = CronScheduleBuilder.cronSchedule(cron).inTimeZone(TimeZone.getTimeZone(all.zone()));
        scheduler.scheduleJob(
                JobBuilder.newJob(Job.class).withIdentity(new JobKey(name)).build(),
                TriggerBuilder.newTrigger()
                        .withIdentity(name)
                        .withSchedule(
                                evenLate
                                        ? times.withMisfireHandlingInstructionFireAndProceed()
                                        : times.withMisfireHandlingInstructionDoNothing())
                        .build());
    }

    /// The latest time of a digest that is not after `now`, if one was due after `last`.
    static Optional<Instant> due(Schedule schedule, Instant last, Instant now) {
        String cron = schedule.digest();
        if (cron == null) {
            return Optional.empty();
        }
        try {
            CronExpression times = new CronExpression(cron);
            times.setTimeZone(TimeZone.getTimeZone(schedule.zone()));
            Instant found = null;
            Date next = times.getNextValidTimeAfter(Date.from(last));
            for (int i = 0; next != null && !next.toInstant().isAfter(now) && i < MOST_TIMES; i++) {
                found = next.toInstant();
                next = times.getNextValidTimeAfter(next);
            }
            return Optional.ofNullable(found);
        } catch (ParseException e) {
            throw new IllegalStateException("the schedule was checked", e);
        }
    }

    @Override
    public void close() {
        try {
            scheduler.shutdown(false);
        } catch (SchedulerException e) {
            throw new IllegalStateException("the scheduler cannot be ended", e);
        }
    }
}
