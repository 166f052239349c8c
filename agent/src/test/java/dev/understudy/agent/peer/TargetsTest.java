package dev.understudy.agent.peer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.ClusterSpec.BalancerGroup;
import dev.understudy.protocol.ClusterSpec.DatabaseGroup;
import dev.understudy.protocol.ClusterSpec.Haproxy;
import dev.understudy.protocol.ClusterSpec.Host;
import dev.understudy.protocol.ClusterSpec.Mode;
import dev.understudy.protocol.ClusterSpec.VirtualAddress;
import dev.understudy.protocol.ClusterSpec.WebGroup;
import dev.understudy.protocol.ResourceId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class TargetsTest {

    private static final ResourceId SITE = new ResourceId("edge", "192.0.2.10");
    private static final ResourceId PRIMARY = ResourceId.primary("shopdb");

    private static ClusterSpec spec(List<String> webs) {
        List<Host> hosts = new ArrayList<>();
        List<String> names = Stream.concat(Stream.of("lb1", "lb2", "db1", "db2"), webs.stream())
                .toList();
        IntStream.range(0, names.size()).forEach(i -> hosts.add(new Host(names.get(i), "10.0.0." + (i + 1))));
        return new ClusterSpec(
                "shop",
                "standard",
                hosts,
                List.of(
                        new BalancerGroup(
                                "edge",
                                Mode.AUTOMATIC,
                                List.of("lb1", "lb2"),
                                List.of(
                                        new VirtualAddress("192.0.2.10", 24, "eth0", null),
                                        new VirtualAddress("2001:db8::10", 64, "eth0", null)),
                                new Haproxy("/c", "/s", "haproxy.service"),
                                "http://{address}/"),
                        new WebGroup("app", Mode.AUTOMATIC, webs, "http://{address}/", null),
                        new DatabaseGroup(
                                "shopdb",
                                Mode.AUTOMATIC,
                                List.of("db1", "db2"),
                                "mariadb",
                                3306,
                                new VirtualAddress("10.0.0.200", 24, "eth0", null),
                                null,
                                "mariadb.service",
                                Duration.ZERO)));
    }

    @Test
    void every_member_of_an_own_group_is_watched_and_at_most_four_others() {
        ClusterSpec spec = spec(IntStream.range(0, 30).mapToObj(i -> "web" + i).toList());
        Map<String, Integer> watchers = new HashMap<>();
        for (Host host : spec.hosts()) {
            List<Targets.Peer> peers = Targets.peers(spec, host.name());
            assertThat(peers).noneMatch(p -> p.host().equals(host)).doesNotHaveDuplicates();
            assertThat(peers.stream().filter(p -> !p.near())).hasSize(4);
            List<String> mates = spec.groupsOf(host.name()).getFirst().members();
            assertThat(peers.stream()
                            .filter(Targets.Peer::near)
                            .map(p -> p.host().name()))
                    .containsExactlyInAnyOrderElementsOf(mates.stream()
                            .filter(name -> !name.equals(host.name()))
                            .toList());
            peers.forEach(p -> watchers.merge(p.host().name(), 1, Integer::sum));
        }
        assertThat(watchers).hasSize(spec.hosts().size());
    }

    @Test
    void web_hosts_look_at_every_address_others_at_those_of_their_groups() {
        ClusterSpec spec = spec(List.of("web1", "web2"));
        Targets.Path site = new Targets.Path(SITE, "http://192.0.2.10/");
        Targets.Path six = new Targets.Path(new ResourceId("edge", "2001:db8::10"), "http://[2001:db8::10]/");
        Targets.Path writer = new Targets.Path(PRIMARY, "http://10.0.0.200:7443/writer/shopdb");
        assertThat(Targets.paths(spec, "web1", 7443)).containsExactly(site, six, writer);
        assertThat(Targets.paths(spec, "lb2", 7443)).containsExactly(site, six);
        assertThat(Targets.paths(spec, "db1", 7443)).containsExactly(writer);
    }

    @Test
    void a_group_without_a_check_is_not_looked_at() {
        assertThat(Targets.paths(Members.SPEC, "h1", 7443)).isEmpty();
    }
}
