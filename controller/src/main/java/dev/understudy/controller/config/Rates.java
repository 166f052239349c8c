package dev.understudy.controller.config;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Bytes a second as people write them: `800K`, `50M`, `1G`, in powers of 1024.
public final class Rates {

    /// What is told where one was expected.
    public static final String EXPECTED = "bytes a second such as 800K, 50M or 1G";

    private static final Pattern RATE = Pattern.compile("([1-9]\\d{0,8})\\s*([KMG])");

    private Rates() {}

    public static Optional<Long> parse(String text) {
        Matcher matcher = RATE.matcher(text);
        if (!matcher.matches()) {
            return Optional.empty();
        }
        int shift =
                switch (matcher.group(2)) {
                    case "K" -> 10;
                    case "M" -> 20;
                    default -> 30;
                };
        return Optional.of(Long.parseLong(matcher.group(1)) << shift);
    }
}
