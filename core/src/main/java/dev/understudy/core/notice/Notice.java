package dev.understudy.core.notice;

import java.time.Instant;
import java.util.List;

/// One thing to tell people, as facts: how it looks as a mail is decided when it is sent. Kept until every channel
/// has it.
///
/// @param id `I12.3`: the third of incident I12; `D…` for a digest, `T…` for a test
/// @param incident the incident, empty for none
/// @param answers the id of the notice to which this one answers, empty for the first of a thread
/// @param opened when the first of the thread was decided
/// @param at when it was decided
/// @param title what it is about; the subject without what stands in brackets
/// @param to mail addresses, empty where no mail is to be sent
/// @param happened what happened, a line each
/// @param done what was done about it
/// @param risk what is still at risk
/// @param next the next commands
/// @param topology who does what in the groups concerned
/// @param pending the channels that do not have it yet
public record Notice(
        String id,
        String incident,
        String answers,
        Kind kind,
        Severity severity,
        Instant opened,
        Instant at,
        String title,
        List<String> groups,
        List<String> to,
        List<String> happened,
        List<String> done,
        List<String> risk,
        List<String> next,
        List<Spot> topology,
        List<Channel> pending) {

    public enum Kind {
        /// an incident began, or got worse
        FIRING,
        /// something was moved because its holder failed
        FAILOVER,
        /// it still lasts
        REMINDER,
        /// somebody looks after it
        ACKNOWLEDGED,
        /// it is over
        RESOLVED,
        /// what happened in a day
        DIGEST,
        /// asked for, to see whether it arrives
        TEST
    }

    public enum Channel {
        MAIL,
        WEBHOOK
    }

    /// A member of a group at that moment.
    ///
    /// @param role `holds`, `follows`, or what else is to be said of it
    /// @param health `up`, `down`, `silent` or `unknown`
    public record Spot(String group, String host, String role, String health) {}

    /// Lines and their lengths are limited, so that what waits stays small.
    public static final int MAX_LINES = 14;

    public static final int MAX_LINE = 240;
    public static final int MAX_SPOTS = 40;

    public Notice {
        title = cut(title);
        groups = List.copyOf(groups);
        to = List.copyOf(to);
        happened = bounded(happened);
        done = bounded(done);
        risk = bounded(risk);
        next = bounded(next);
        topology = List.copyOf(topology.subList(0, Math.min(topology.size(), MAX_SPOTS)));
        pending = List.copyOf(pending);
    }

    public Notice delivered(Channel channel) {
        List<Channel> left = pending.stream().filter(c -> c != channel).toList();
        return new Notice(
                id, incident, answers, kind, severity, opened, at, title, groups, to, happened, done, risk, next,
                topology, left);
    }

    private static List<String> bounded(List<String> lines) {
        List<String> kept = lines.size() <= MAX_LINES ? lines : lines.subList(0, MAX_LINES);
        return kept.stream().map(Notice::cut).toList();
    }

    private static String cut(String line) {
        String one = line.replaceAll("\\p{Cntrl}+", " ").strip();
        return one.length() <= MAX_LINE ? one : one.substring(0, MAX_LINE - 1) + "…";
    }
}
