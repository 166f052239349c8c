package dev.understudy.controller;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.controller.Site.Ran;
import dev.understudy.controller.api.Api;
import dev.understudy.controller.api.ApiJson;
import dev.understudy.controller.cli.Understudy;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// The command line against a real controller.
class CliTest {

    @TempDir
    Path folder;

    private Site site;
    private BalancerAgent first;
    private BalancerAgent second;

    @BeforeEach
    void start() throws Exception {
        site = new Site(folder.resolve("state"));
        site.start(Site.PAIR, true);
        first = site.agent("lb1");
        second = site.agent("lb2");
        site.awaitHeldBy(first, "lb1");
    }

    @AfterEach
    void stop() throws Exception {
        site.close();
        assertThat(site.faults).isEmpty();
    }

    @Test
    void switchoverTellsItsStepsAndEndsWithTheNewHolder() {
        Ran ran = site.cli("switchover", "edge", "--to", "lb2");

        assertThat(ran.err()).isEmpty();
        assertThat(ran.code()).isZero();
        assertThat(ran.out().lines())
                .hasSizeGreaterThan(2)
                .last()
                .asString()
                .matches("edge/192\\.0\\.2\\.10 is held by lb2 \\(epoch \\d+\\)");
        assertThat(ran.out())
                .contains("LB-23")
                .contains("RELEASING")
                .contains("LB-34")
                .contains("HELD");
        site.awaitHeldBy(second, "lb2");
        assertThat(first.holds()).isFalse();

        JsonNode back = ApiJson.compact()
                .readTree(site.cli("switchover", "edge/192.0.2.10", "--json").out());
        assertThat(back.path("ok").booleanValue()).isTrue();
        assertThat(back.path("holder").stringValue()).isEqualTo("lb1");
        assertThat(back.path("steps").size()).isGreaterThan(1);
    }

    @Test
    void aRefusedSwitchoverIsOneLineAndExitOne() {
        Ran ran = site.cli("switchover", "edge", "--to", "lb9");
        assertThat(ran.code()).isEqualTo(1);
        assertThat(ran.err().lines()).singleElement().asString().startsWith("understudy: ");
        assertThat(ran.out()).isEmpty();
        assertThat(site.cli("switchover", "nothing").code()).isEqualTo(2);
    }

    @Test
    void statusIsATableAndItsExitCodeSaysWhetherAllIsWell() {
        Ran well = site.cli("status");
        assertThat(well.code()).isZero();
        assertThat(well.out())
                .startsWith("pair: well   profile standard, specification 1, controller ctl1-")
                .containsPattern("edge/192\\.0\\.2\\.10 +lb1 +HELD +1 +live +automatic")
                .containsPattern("lb1 +edge +up +\\d+ ms +balancer/edge up: 1 of 1 servers up");
        Api.Site json = ApiJson.compact().readValue(site.cli("--json", "status").out(), Api.Site.class);
        assertThat(json.cluster()).isEqualTo("pair");

        second.service(dev.understudy.protocol.Health.DOWN);
        org.awaitility.Awaitility.await().until(() -> site.cli("status").code() == 1);
        assertThat(site.cli("status").out()).contains("! lb2 says balancer/edge is down");
    }

    @Test
    void eventsAndExplain() {
        Ran events = site.cli("events", "--limit", "5", "--resource", "edge");
        assertThat(events.code()).isZero();
        assertThat(events.out()).startsWith("TIME").contains("edge/192.0.2.10");
        Ran explained = site.cli("explain", "E1");
        assertThat(explained.out()).startsWith("E1  cluster specification version 1 is in force");
        assertThat(site.cli("explain", "E9999").code()).isEqualTo(2);
        assertThat(site.cli("events", "--limit", "0").code()).isEqualTo(2);
        assertThat(site.cli("watch", "--times", "1").out()).contains("RESOURCE").contains("EVENT");
    }

    @Test
    void applyPutsAGoodFileInForceAndRefusesABadOneWithItsLines() throws Exception {
        Path relaxed = Files.writeString(
                folder.resolve("relaxed.yml"), Files.readString(Site.PAIR).replace("standard", "relaxed"));
        Path bad = Files.writeString(
                folder.resolve("bad.yml"), Files.readString(Site.PAIR).replace("profile", "profil"));

        assertThat(site.cli("config", "check", relaxed.toString()).code()).isZero();
        assertThat(site.cli("config", "check", bad.toString()))
                .isEqualTo(
                        new Ran(2, "", "understudy: " + bad + ":2: unknown key 'profil', did you mean 'profile'?\n"));
        assertThat(site.cli("apply", bad.toString()).code()).isEqualTo(2);
        assertThat(site.cli("apply", relaxed.toString()).out()).isEqualTo("version 2 is in force\n");
        assertThat(site.cli("apply", relaxed.toString()).out()).isEqualTo("unchanged, version 2\n");
        assertThat(site.cli("apply", folder.resolve("none.yml").toString()).err())
                .isEqualTo("understudy: " + folder.resolve("none.yml") + ": there is no such file\n");
    }

    @Test
    void badUsageIsTwoAndNoControllerThree() {
        assertThat(site.cli("status", "--bogus").code()).isEqualTo(2);
        assertThat(site.cli("frobnicate").code()).isEqualTo(2);
        assertThat(site.cli().code()).isEqualTo(2);
        Ran nobody = run("--controller", "http://127.0.0.1:" + Site.freePort(), "status");
        assertThat(nobody.code()).isEqualTo(3);
        assertThat(nobody.err().lines()).singleElement().asString().startsWith("understudy: no controller answers at");
        assertThat(run("--controller", "::", "status").code()).isEqualTo(2);
    }

    private static Ran run(String... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        int code = Understudy.run(new PrintWriter(out), new PrintWriter(err, true), arguments);
        return new Ran(code, out.toString(), err.toString());
    }
}
