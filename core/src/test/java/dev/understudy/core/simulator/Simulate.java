package dev.understudy.core.simulator;

import dev.understudy.core.simulator.Simulation.Result;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/// `./simulate --seeds N [--from SEED]` runs a range on all cores; `./simulate --seed S` replays one and tells its
/// story. Exit 0: sound; 1: an invariant was violated (the story of the first such seed is printed); 2: bad usage.
public final class Simulate {

    private static final String USAGE = "usage: ./simulate --seeds N [--from SEED] | --seed SEED";

    /// What a range of seeds came to.
    ///
    /// @param persons how many runs ended with a person being needed, by reason
    record Batch(long seeds, Map<Long, Result> violations, Map<String, Long> persons, long acknowledged) {}

    private Simulate() {}

    public static void main(String[] arguments) throws InterruptedException {
        System.exit(run(arguments));
    }

    private static int run(String[] arguments) throws InterruptedException {
        Long seeds = null;
        Long from = null;
        Long one = null;
        for (int i = 0; i < arguments.length; i++) {
            Long value = i + 1 < arguments.length ? number(arguments[i + 1]) : null;
            if (value == null) {
                return usage(arguments[i] + " needs a 64-bit number");
            }
            switch (arguments[i++]) {
                case "--seeds" -> seeds = value;
                case "--from" -> from = value;
                case "--seed" -> one = value;
                default -> {
                    return usage("unknown argument '" + arguments[i - 1] + "'");
                }
            }
        }
        if (one != null) {
            return seeds == null && from == null ? replay(one) : usage("--seed stands alone");
        }
        if (seeds == null || seeds < 1) {
            return usage("--seeds needs a number of at least 1");
        }
        return range(seeds, from == null ? 1 : from);
    }

    private static int usage(String what) {
        System.err.println("simulate: " + what + "; " + USAGE);
        return 2;
    }

    /// Decimal or 0x hexadecimal, signed or unsigned; null if it is none.
    static @Nullable Long number(String text) {
        try {
            return text.startsWith("0x") || text.startsWith("0X")
                    ? Long.parseUnsignedLong(text.substring(2), 16)
                    : text.startsWith("-") ? Long.parseLong(text) : Long.parseUnsignedLong(text);
        } catch (NumberFormatException e) {
            return null;
        }
    }

    private static int replay(long seed) {
        Result result = Simulation.run(seed, null, true);
        tell(result);
        System.out.println("1 seed, " + (result.sound() ? 0 : 1) + " violations");
        return result.sound() ? 0 : 1;
    }

    private static void tell(Result result) {
        result.story().forEach(System.out::println);
        System.out.printf(
                "seed %d (0x%x): %s, %d rows acknowledged, %d journal entries%s%n",
                result.seed(),
                result.seed(),
                result.sound() ? "sound" : result.invariant() + " violated: " + result.violation(),
                result.acknowledged(),
                result.journalEntries(),
                result.person() == null ? "" : ", a person is needed: " + result.person());
    }

    private static int range(long seeds, long from) throws InterruptedException {
        long began = System.nanoTime();
        Batch batch = batch(seeds, from, System.out::println);
        long seconds = TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - began);
        batch.violations().entrySet().stream().findFirst().ifPresent(first -> {
            tell(Simulation.run(first.getKey(), null, true));
            System.out.println("replay it with: ./simulate --seed " + first.getKey());
        });
        if (batch.violations().size() > 1) {
            batch.violations().forEach((seed, r) -> System.out.println("seed " + seed + ": " + r.invariant()));
        }
        System.out.println("rows acknowledged: " + batch.acknowledged() + "; runs that ended with a person needed: "
                + batch.persons());
        System.out.printf(
                "%d seeds, %d violations, %d min %d s%n",
                batch.seeds(), batch.violations().size(), seconds / 60, seconds % 60);
        return batch.violations().isEmpty() ? 0 : 1;
    }

    /// Runs the seeds on all cores; stops early after ten violations.
    static Batch batch(long seeds, long from, java.util.function.Consumer<String> progress)
            throws InterruptedException {
        int cores = Runtime.getRuntime().availableProcessors();
        AtomicLong next = new AtomicLong();
        AtomicLong done = new AtomicLong();
        AtomicLong acknowledged = new AtomicLong();
        Map<Long, Result> violations = new ConcurrentSkipListMap<>();
        Map<String, AtomicLong> persons = new ConcurrentSkipListMap<>();
        CountDownLatch running = new CountDownLatch(cores);
        for (int core = 0; core < cores; core++) {
            Thread.ofPlatform().name("seeds " + core).daemon(true).start(() -> {
                try {
                    long i = next.getAndIncrement();
                    while (i < seeds && violations.size() < 10) {
                        Result result = Simulation.run(from + i);
                        if (!result.sound()) {
                            violations.put(from + i, result);
                        }
                        if (result.person() != null) {
                            persons.computeIfAbsent(result.person(), _ -> new AtomicLong())
                                    .incrementAndGet();
                        }
                        acknowledged.addAndGet(result.acknowledged());
                        done.incrementAndGet();
                        i = next.getAndIncrement();
                    }
                } finally {
                    running.countDown();
                }
            });
        }
        while (!running.await(2, TimeUnit.SECONDS)) {
            progress.accept(done.get() + " of " + seeds + " seeds, " + violations.size() + " violations");
        }
        Map<String, Long> counted = new TreeMap<>();
        persons.forEach((reason, count) -> counted.put(reason, count.get()));
        return new Batch(done.get(), new TreeMap<>(violations), counted, acknowledged.get());
    }
}
