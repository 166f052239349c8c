package dev.understudy.core.simulator;

import java.util.ArrayList;
import java.util.List;

/// Partitions of every kind, between any two nodes and in one direction or both, and bad weather.
final class NetworkFaults {

    private final Site site;
    private final Faults faults;
    private final Dice dice;

    NetworkFaults(Site site, Faults faults) {
        this.site = site;
        this.faults = faults;
        dice = new Dice(site.seed, "partitions");
    }

    void partition() {
        List<String> nodes = site.network.nodes();
        String one = dice.chance(0.6) ? faults.anyHost().name : dice.pick(nodes);
        List<String> others =
                switch (dice.below(5)) {
                    case 0 -> nodes;
                    case 1 -> List.of(dice.pick(nodes));
                    case 2 -> site.controllers.stream().map(c -> c.name).toList();
                    case 3 -> nodes.stream().filter(n -> dice.chance(0.5)).toList();
                    default -> nodes.stream().filter(n -> !n.startsWith("c")).toList();
                };
        boolean out = dice.chance(0.8);
        boolean in = !out || dice.chance(0.75);
        List<String> cut = new ArrayList<>(others);
        cut.remove(one);
        faults.tell("%s is cut off from %s%s%s".formatted(one, cut, out ? ", outwards" : "", in ? ", inwards" : ""));
        for (String other : cut) {
            if (out) {
                site.network.block(one, other);
            }
            if (in) {
                site.network.block(other, one);
            }
        }
        faults.until(100, dice.chance(0.5) ? 3000 : 12_000, () -> {
            for (String other : cut) {
                if (out) {
                    site.network.unblock(one, other);
                }
                if (in) {
                    site.network.unblock(other, one);
                }
            }
            site.tell(() -> one + " is joined again with " + cut);
        });
    }

    void badWeather() {
        double loss = dice.real(0, 0.4);
        double repeat = dice.real(0, 0.4);
        long slowest = dice.between(5, 600);
        faults.tell("the network loses %.0f %%, repeats %.0f %%, takes up to %d ms"
                .formatted(loss * 100, repeat * 100, slowest));
        site.network.weather(loss, repeat, slowest);
        faults.until(500, 8000, () -> site.network.weather(0, 0, 2));
    }
}
