package dev.understudy.agent.metrics;

import dev.understudy.agent.sys.HostCalls.Discipline;
import dev.understudy.agent.sys.HostCalls.Uname;
import dev.understudy.wire.metrics.Family;
import java.time.Instant;
import java.util.List;

/// The host's clock, how it is kept in step, and the kernel's names.
final class ClockFigures {

    private ClockFigures() {}

    static List<Family> time(Instant now) {
        return List.of(Family.gauge("node_time_seconds", "System time in seconds since epoch (1970).")
                .of(now.getEpochSecond() + now.getNano() / 1e9));
    }

    // spotless:off
    static List<Family> discipline(Discipline it) {
        return List.of(
                timex("sync_status", "Is clock synchronized to a reliable server (1 = yes, 0 = no).", it.synchronised() ? 1 : 0),
                timex("offset_seconds", "Time offset in between local system and reference clock.", it.offsetSeconds()),
                timex("frequency_adjustment_ratio", "Local clock frequency adjustment.", it.frequencyRatio()),
                timex("maxerror_seconds", "Maximum error in seconds.", it.maxErrorSeconds()),
                timex("estimated_error_seconds", "Estimated error in seconds.", it.estimatedErrorSeconds()),
                timex("status", "Value of the status array bits.", it.status()),
                timex("loop_time_constant", "Phase-locked loop time constant.", (double) it.loopTimeConstant()),
                timex("tick_seconds", "Seconds between clock ticks.", it.tickSeconds()),
                timex("tai_offset_seconds", "International Atomic Time (TAI) offset.", it.taiOffsetSeconds()));
    }
    // spotless:on

    private static Family timex(String name, String help, double value) {
        return Family.gauge("node_timex_" + name, help).of(value);
    }

    static List<Family> uname(Uname it) {
        return List.of(Family.gauge(
                        "node_uname_info",
                        "Labeled system information as provided by the uname system call.",
                        "sysname",
                        "release",
                        "version",
                        "machine",
                        "nodename",
                        "domainname")
                .sample(1, it.sysname(), it.release(), it.version(), it.machine(), it.nodename(), it.domainname())
                .build());
    }
}
