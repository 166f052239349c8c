package dev.understudy.controller.config;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.controller.config.ClusterFile.Result;
import dev.understudy.protocol.ClusterSpec.DatabaseGroup;
import org.junit.jupiter.api.Test;

class RatesTest {

    private static final String FILE = """
            cluster: c
            hosts: {a: {address: 10.0.0.1}, b: {address: 10.0.0.2}}
            groups:
              db: {kind: database, members: [a, b]%s}
            """;

    @Test
    void unitsArePowersOf1024() {
        assertThat(Rates.parse("800K")).contains(800L << 10);
        assertThat(Rates.parse("50M")).contains(50L << 20);
        assertThat(Rates.parse("1 G")).contains(1L << 30);
    }

    @Test
    void whatHasNoUnitOrIsNothingIsNoRate() {
        for (String text : new String[] {"50", "0M", "-1M", "50m", "1.5M", "M", "50MB"}) {
            assertThat(Rates.parse(text)).as(text).isEmpty();
        }
    }

    @Test
    void aGroupMayLimitItsCopies() {
        assertThat(group(", rebuild: {rate: 50M}").copyRate()).isEqualTo(50L << 20);
        assertThat(group("").copyRate()).isZero();
        Result wrong = ClusterFile.parse("cluster.yml", FILE.formatted(", rebuild: {rate: fast}"));
        assertThat(((Result.Bad) wrong).problems().toString())
                .contains("'fast' is not bytes a second such as 800K, 50M or 1G");
    }

    private static DatabaseGroup group(String more) {
        Result result = ClusterFile.parse("cluster.yml", FILE.formatted(more));
        return (DatabaseGroup) ((Result.Good) result).spec().group("db").orElseThrow();
    }
}
