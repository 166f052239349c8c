package dev.understudy.lab.story;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.controller.config.ClusterFile;
import dev.understudy.lab.site.LabHost;
import dev.understudy.lab.site.LabService;
import dev.understudy.lab.site.Topology;
import dev.understudy.protocol.AgentMessage;
import dev.understudy.protocol.AgentMessage.CommandReply;
import dev.understudy.protocol.AgentMessage.Heartbeat;
import dev.understudy.protocol.AgentMessage.Hello;
import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.Command;
import dev.understudy.protocol.ControllerMessage;
import dev.understudy.protocol.ControllerMessage.Order;
import dev.understudy.protocol.ControllerMessage.Welcome;
import dev.understudy.protocol.Outcome;
import dev.understudy.protocol.ResourceId;
import dev.understudy.wire.json.MessageCodec;
import io.javalin.Javalin;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.Test;

/// Something that believes in a past (a restored backup, a deposed leader) gives orders to a real agent.
class StaleOrderStory extends Story {

    private final Map<String, Outcome> answers = new ConcurrentHashMap<>();

    @Test
    @Fault("orders of a controller that knows only older epochs")
    void anOrderWithAStaleEpochIsRefusedAndNothingIsTouched() throws Exception {
        String first = activeBalancer().name();
        LabHost second = passiveBalancer();
        act("move the address to " + second.name() + " and back", () -> {
            api().switchover(SITE, second.name());
            becomesHolderInsteadOf(host(first), SITE);
            siteBecomesWell();
            api().switchover(SITE, first);
            becomesHolderInsteadOf(second, SITE);
            siteBecomesWell();
        });
        long epoch = state().epoch(SITE);
        long term = state().json().path("term").longValue();
        LabHost controller = host(Topology.CTL1.name());
        if (!(ClusterFile.read(controller.path("/etc/understudy/cluster.yml"))
                instanceof ClusterFile.Result.Good good)) {
            throw new IllegalStateException("the lab's own cluster.yml is bad");
        }
        act("stop the controller", () -> controller.stop(LabService.CONTROLLER));
        // the giver of the last move has the address still, for connections that it drains, and does not hold it
        boolean drains = hasAddress(second, Topology.SITE_ADDRESS);

        List<Long> past = List.of(epoch - 1, epoch - 2);
        Javalin impostor = Javalin.create(config -> config.routes.ws(
                "/agent",
                socket -> socket.onMessage(message -> {
                    AgentMessage heard = MessageCodec.decodeAgent(message.message());
                    orders(heard, good.spec(), term, past).forEach(order -> message.send(MessageCodec.encode(order)));
                })));
        controller.network().call(() -> impostor.start("0.0.0.0", Topology.CONTROLLER_PORT));
        try {
            eventually(second.name() + " has answered both orders", () -> answers.size() == past.size());
        } finally {
            impostor.stop();
        }
        tell("answers: " + answers);
        assertThat(answers.values())
                .allSatisfy(outcome -> assertThat(outcome)
                        .isInstanceOfSatisfying(
                                Outcome.Refused.class,
                                refused -> assertThat(refused.code()).isEqualTo("stale")));
        assertThat(gateOf(second)).contains("set held").doesNotContain(Topology.SITE_ADDRESS + " ");
        assertThat(hasAddress(second, Topology.SITE_ADDRESS) && !drains).isFalse();

        act("start the real controller", () -> controller.start(LabService.CONTROLLER));
        siteBecomesWell();
        clientsAreServed();
    }

    /// What a controller of the past says: it welcomes everybody, and orders whoever could hold the address and does
    /// not to take it.
    private List<ControllerMessage> orders(AgentMessage heard, ClusterSpec spec, long term, List<Long> past) {
        return switch (heard) {
            case Hello _ -> List.of(new Welcome(spec.cluster(), term, 1, spec));
            case Heartbeat beat
            when beat.leases().stream().anyMatch(l -> l.resource().toString().equals(SITE) && l.held() == 0) -> {
                ResourceId site = ResourceId.parse(SITE);
                yield past.stream()
                        .map(epoch -> (ControllerMessage) new Order(
                                beat.seq(),
                                term,
                                spec.timing().ttl().toMillis(),
                                new Command.TakeAddress("past-" + epoch, site, epoch)))
                        .toList();
            }
            case CommandReply reply -> {
                answers.put(reply.commandId(), reply.outcome());
                yield List.of();
            }
            case Heartbeat _, AgentMessage.RestartNotice _, AgentMessage.Diverged _ -> List.of();
        };
    }
}
