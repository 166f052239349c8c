package dev.understudy.agent.command;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.agent.act.AddressControl.Guard;
import dev.understudy.agent.act.AddressControl.ServerPort;
import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.ClusterSpec.DatabaseGroup;
import dev.understudy.protocol.ClusterSpec.Host;
import dev.understudy.protocol.ClusterSpec.Mode;
import dev.understudy.protocol.ClusterSpec.Reader;
import dev.understudy.protocol.ClusterSpec.Recovery;
import dev.understudy.protocol.ClusterSpec.VirtualAddress;
import dev.understudy.protocol.ResourceId;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class SiteTest {

    private static final ResourceId PRIMARY = ResourceId.primary("shopdb");
    private static final VirtualAddress WRITER = new VirtualAddress("10.0.0.200", 24, "eth0", null);

    /// Web hosts and balancers run agents too, and are not exempt for that.
    @Test
    void s11_onlyTheOtherMembersOfTheGroupAreExempt() {
        assertThat(guarded("db1", Mode.AUTOMATIC, WRITER))
                .containsExactly(Map.entry(
                        PRIMARY, new Guard(WRITER, new ServerPort(3306, List.of("10.0.0.22", "10.0.0.23")))));
        assertThat(guarded("web1", Mode.AUTOMATIC, WRITER)).isEmpty();
    }

    @Test
    void s9_aPrimaryWithoutAWriterAddressIsInTheKernelByItsPort() {
        assertThat(guarded("db2", Mode.MANUAL, null))
                .containsExactly(Map.entry(
                        PRIMARY, new Guard(null, new ServerPort(3306, List.of("10.0.0.21", "10.0.0.23")))));
    }

    /// The reader address lives and dies by its own lease; the port's gate stays the primary role's.
    @Test
    void s11_aReaderAddressHasItsOwnElement() {
        VirtualAddress address = new VirtualAddress("10.0.0.201", 24, "eth0", null);
        assertThat(guarded("db2", Mode.AUTOMATIC, WRITER, new Reader(address, Duration.ofSeconds(5))))
                .containsExactly(
                        Map.entry(PRIMARY, new Guard(WRITER, new ServerPort(3306, List.of("10.0.0.21", "10.0.0.23")))),
                        Map.entry(new ResourceId("shopdb", "10.0.0.201"), new Guard(address, null)));
    }

    @Test
    void inModeObserveNothingIsGuarded() {
        assertThat(guarded("db1", Mode.OBSERVE, WRITER)).isEmpty();
    }

    private static Map<ResourceId, Guard> guarded(String host, Mode mode, @Nullable VirtualAddress writer) {
        return guarded(host, mode, writer, null);
    }

    private static Map<ResourceId, Guard> guarded(
            String host, Mode mode, @Nullable VirtualAddress writer, @Nullable Reader reader) {
        ClusterSpec spec = new ClusterSpec(
                "shop",
                "standard",
                List.of(
                        new Host("db1", "10.0.0.21"),
                        new Host("db2", "10.0.0.22"),
                        new Host("db3", "10.0.0.23"),
                        new Host("web1", "10.0.0.31")),
                List.of(new DatabaseGroup(
                        "shopdb",
                        mode,
                        List.of("db1", "db2", "db3"),
                        "mariadb",
                        3306,
                        writer,
                        null,
                        "mariadb.service",
                        Duration.ofSeconds(30),
                        Recovery.DEFAULT,
                        reader)));
        return new Site(host, spec, Map.of(), Map.of()).guarded();
    }
}
