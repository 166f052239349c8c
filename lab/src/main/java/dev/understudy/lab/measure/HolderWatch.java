package dev.understudy.lab.measure;

import dev.understudy.lab.site.Lab;
import dev.understudy.lab.site.Topology;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Counts holders every 10 ms, inside every host, also those that are cut off: hosts on which the virtual address
/// is present with the gate open, the same for the writer and the reader address, and databases that would
/// acknowledge a write (open to writes, and either alone or with a receiver that takes their events). Beside it a
/// neighbour on each wire asks who has the address, by ARP and by a probe of every host.
///
/// Two at once are believed only after a second look at all of them that finds the first one still holding after the
/// last was seen to: then there was a moment at which both held.
public final class HolderWatch implements AutoCloseable {

    private static final long INTERVAL_MILLIS = 10;

    private final List<AddressEye> site;
    private final List<AddressEye> writer;
    private final List<AddressEye> reader;
    private final List<DatabaseEye> databases;
    private final List<WireEye> wires;
    private final Consumer<String> alarm;
    private final ScheduledExecutorService ticker = Executors.newSingleThreadScheduledExecutor(
            task -> Thread.ofPlatform().name("holder-watch").daemon().unstarted(task));
    private int most;
    private long looks;
    private long looksBefore;
    private String failure = "";

    private HolderWatch(Lab lab, Consumer<String> alarm) {
        this.alarm = alarm;
        site = Topology.BALANCERS.stream()
                .map(plan -> new AddressEye(lab.host(plan), Topology.SITE_ADDRESS))
                .toList();
        writer = Topology.DATABASES.stream()
                .map(plan -> new AddressEye(lab.host(plan), Topology.WRITER_ADDRESS))
                .toList();
        reader = Topology.DATABASES.stream()
                .map(plan -> new AddressEye(lab.host(plan), Topology.READER_ADDRESS))
                .toList();
        databases = Topology.DATABASES.stream()
                .map(plan -> new DatabaseEye(lab.host(plan), INTERVAL_MILLIS))
                .toList();
        wires = List.of(
                WireEye.start(
                        lab.host(Topology.CLIENT),
                        Topology.SITE_ADDRESS,
                        80,
                        Topology.BALANCERS.stream().map(lab::host).toList(),
                        alarm),
                WireEye.start(
                        lab.host(Topology.WEB2),
                        Topology.WRITER_ADDRESS,
                        Topology.DATABASE_PORT,
                        Topology.DATABASES.stream().map(lab::host).toList(),
                        alarm));
    }

    /// @param alarm told in a line when two holders were seen
    public static HolderWatch start(Lab lab, Consumer<String> alarm) {
        HolderWatch watch = new HolderWatch(lab, alarm);
        var _ = watch.ticker.scheduleAtFixedRate(watch::tick, 0, INTERVAL_MILLIS, TimeUnit.MILLISECONDS);
        return watch;
    }

    /// Forgets what was seen so far.
    public synchronized void forget() {
        most = 0;
        looksBefore = looks;
        wires.forEach(WireEye::forget);
    }

    /// The most holders of one resource that were seen at one time since the last call or [#forget].
    ///
    /// @throws IllegalStateException when the watch itself failed
    public synchronized int mostSinceLastCall() {
        if (!failure.isEmpty()) {
            throw new IllegalStateException("the holder watch failed: " + failure);
        }
        if (looks == looksBefore) {
            throw new IllegalStateException("the holder watch has not looked since the last call");
        }
        int seen = most;
        for (WireEye wire : wires) {
            seen = Math.max(seen, wire.most());
            wire.forget();
        }
        most = 0;
        looksBefore = looks;
        return seen;
    }

    /// How often it has looked, with every eye.
    public synchronized long looks() {
        return Math.min(looks, wires.stream().mapToLong(WireEye::rounds).min().orElse(0));
    }

    /// The names of the hosts that hold now, by resource; for a live display.
    public Map<String, List<String>> now() {
        return Map.of(
                Topology.SITE_ADDRESS,
                names(site),
                Topology.WRITER_ADDRESS,
                names(writer),
                Topology.READER_ADDRESS,
                names(reader),
                "primary",
                databases.stream()
                        .filter(DatabaseEye::writable)
                        .map(eye -> eye.host().name())
                        .toList());
    }

    @Override
    public void close() {
        ticker.shutdownNow();
        site.forEach(AddressEye::close);
        writer.forEach(AddressEye::close);
        reader.forEach(AddressEye::close);
        databases.forEach(DatabaseEye::close);
        wires.forEach(WireEye::close);
    }

    private void tick() {
        try {
            int seen = Stream.of(
                            addressHolders(site), addressHolders(writer), addressHolders(reader), databaseHolders())
                    .max(Integer::compare)
                    .orElse(0);
            synchronized (this) {
                most = Math.max(most, seen);
                looks++;
            }
        } catch (RuntimeException e) {
            synchronized (this) {
                failure = e.toString();
            }
        }
    }

    private int addressHolders(List<AddressEye> eyes) {
        List<AddressEye> present = eyes.stream().filter(AddressEye::present).toList();
        if (present.size() < 2) {
            return present.size();
        }
        List<AddressEye> holding =
                present.stream().filter(eye -> eye.gateOpen() && eye.present()).toList();
        if (holding.size() < 2) {
            return holding.size();
        }
        AddressEye first = holding.getFirst();
        boolean stillThere = first.present() && first.gateOpen();
        if (stillThere) {
            alarm.accept("two hosts answer for one address: " + names(holding));
        }
        return stillThere ? holding.size() : holding.size() - 1;
    }

    private int databaseHolders() {
        int writable = (int) databases.stream().filter(DatabaseEye::writable).count();
        if (writable < 2) {
            return writable;
        }
        List<String> before = acknowledging();
        if (before.size() < 2) {
            return before.size();
        }
        List<String> after = acknowledging();
        var both = new ArrayList<>(before);
        both.retainAll(after);
        if (both.size() >= 2) {
            alarm.accept("two databases would acknowledge a write: " + both);
        }
        return Math.max(1, both.size());
    }

    private List<String> acknowledging() {
        Map<DatabaseEye, DatabaseEye.Close> seen =
                databases.stream().collect(Collectors.toMap(eye -> eye, DatabaseEye::closeLook));
        return databases.stream()
                .filter(eye -> {
                    DatabaseEye.Close look = seen.get(eye);
                    String address = eye.host().plan().address();
                    return look != null
                            && look.writable()
                            && (look.alone()
                                    || seen.values().stream()
                                            .anyMatch(other ->
                                                    other.receivesFrom().equals(address)));
                })
                .map(eye -> eye.host().name())
                .toList();
    }

    /// A host that drains has the address too, behind a gate that is shut.
    private static List<String> names(List<AddressEye> eyes) {
        List<AddressEye> present = eyes.stream().filter(AddressEye::present).toList();
        return present.stream()
                .filter(eye -> present.size() < 2 || eye.gateOpen())
                .map(eye -> eye.host().name())
                .toList();
    }
}
