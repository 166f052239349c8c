package dev.understudy.controller.config;

import java.time.Duration;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Lengths of time as people write them, in files and on the command line: `200ms`, `5s`, `10m`, `26h`, `7d`. A bare
/// number does not say its unit and is none.
public final class Lengths {

    /// What is told where one was expected.
    public static final String EXPECTED = "a duration such as 200ms, 5s, 10m or 26h";

    private static final Pattern LENGTH = Pattern.compile("(\\d{1,9})\\s*(ms|s|m|h|d)");

    private Lengths() {}

    public static Optional<Duration> parse(String text) {
        Matcher matcher = LENGTH.matcher(text);
        if (!matcher.matches()) {
            return Optional.empty();
        }
        long amount = Long.parseLong(matcher.group(1));
        return Optional.of(
                switch (matcher.group(2)) {
                    case "ms" -> Duration.ofMillis(amount);
                    case "s" -> Duration.ofSeconds(amount);
                    case "m" -> Duration.ofMinutes(amount);
                    case "h" -> Duration.ofHours(amount);
                    default -> Duration.ofDays(amount);
                });
    }
}
