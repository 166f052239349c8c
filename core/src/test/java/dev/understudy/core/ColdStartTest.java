package dev.understudy.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.core.ResourceState.PrimaryPhase;
import dev.understudy.core.ResourceState.PrimaryState;
import dev.understudy.protocol.ClusterSpec.Mode;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The whole site has lost power (S25). The last primary is db2, which is not the first of the file.
class ColdStartTest {

    private static final List<String> DATABASES = List.of("db1", "db2", "db3");

    private final StagedSite site = new StagedSite(Mode.AUTOMATIC);

    @BeforeEach
    void settle() {
        site.run(Duration.ofSeconds(4));
        site.decide(new Input.Operator("move", "test", new OperatorRequest.Switchover(StagedSite.PRIMARY, "db2")));
        site.run(Duration.ofSeconds(4));
        assertThat(primary().holder()).isEqualTo("db2");
        site.host("db2").write(100);
        site.run(Duration.ofSeconds(4));
        site.stopController();
        site.hosts.values().forEach(StagedHost::powerOff);
        site.run(Duration.ofSeconds(5));
    }

    @AfterEach
    void neverTwoHolders() {
        assertThat(site.violations).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"db1", "db2", "db3"})
    void s25_nobody_is_granted_before_every_acker_and_the_last_holder_have_answered(String missing) {
        site.startController();
        site.hosts.values().stream().filter(host -> !host.name.equals(missing)).forEach(StagedHost::powerOn);
        site.run(Duration.ofSeconds(60));
        assertThat(DATABASES).noneMatch(name -> site.host(name).writable());
        assertThat(primary().phase()).as(String.join("\n", site.events())).isEqualTo(PrimaryPhase.BLOCKED);
        assertThat(site.events().getLast()).contains("DB-80").contains(missing);

        site.host(missing).powerOn();
        site.run(Duration.ofSeconds(20));
        assertThat(primary().phase()).as(String.join("\n", site.events())).isEqualTo(PrimaryPhase.HELD);
        assertThat(primary().holder()).as("the last holder, when equal").isEqualTo("db2");
        assertThat(primary().ackers()).containsExactlyInAnyOrder("db1", "db3");
    }

    @Test
    void s25_the_last_holder_is_not_preferred_when_it_lacks_a_row_that_another_has() {
        site.host("db2").loseTail(3);
        site.host("db1").loseTail(1);
        site.startController();
        site.hosts.values().forEach(StagedHost::powerOn);
        site.run(Duration.ofSeconds(20));
        assertThat(primary().phase()).as(String.join("\n", site.events())).isEqualTo(PrimaryPhase.HELD);
        assertThat(primary().holder()).isEqualTo("db3");
    }

    private PrimaryState primary() {
        return (PrimaryState)
                Objects.requireNonNull(site.state().journaled().resources().get(StagedSite.PRIMARY));
    }
}
