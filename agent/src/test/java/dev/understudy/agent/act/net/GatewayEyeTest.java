package dev.understudy.agent.act.net;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.agent.sys.TwoHosts;
import dev.understudy.protocol.Observation.Reach;
import java.net.InetAddress;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/// Asking for a gateway on a real wire.
class GatewayEyeTest {

    private static final Duration PATIENCE = Duration.ofMillis(200);

    @Test
    void a_gateway_answers_and_its_silence_is_told_after_three_questions() throws Exception {
        try (TwoHosts hosts = new TwoHosts();
                GatewayEye eye = new GatewayEye(hosts.namespace(), TwoHosts.LINK, InetAddress.getByName("10.77.0.2"))) {
            assertThat(eye.look(PATIENCE.multipliedBy(10))).contains(Reach.ANSWERS);
            hosts.there("ip", "addr", "del", "10.77.0.2/24", "dev", TwoHosts.LINK);
            assertThat(eye.look(PATIENCE)).isEmpty();
            assertThat(eye.look(PATIENCE)).isEmpty();
            assertThat(eye.look(PATIENCE)).contains(Reach.SILENT);
            hosts.there("ip", "addr", "add", "10.77.0.2/24", "dev", TwoHosts.LINK);
            assertThat(eye.look(PATIENCE.multipliedBy(10))).contains(Reach.ANSWERS);
        }
    }

    @Test
    void without_a_carrier_the_gateway_is_silent() throws Exception {
        try (TwoHosts hosts = new TwoHosts();
                GatewayEye eye = new GatewayEye(hosts.namespace(), TwoHosts.LINK, InetAddress.getByName("10.77.0.2"))) {
            hosts.there("ip", "link", "set", TwoHosts.LINK, "down");
            assertThat(eye.look(PATIENCE)).isEmpty();
            assertThat(eye.look(PATIENCE)).isEmpty();
            assertThat(eye.look(PATIENCE)).contains(Reach.SILENT);
        }
    }
}
