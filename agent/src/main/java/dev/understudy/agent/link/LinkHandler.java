package dev.understudy.agent.link;

import dev.understudy.protocol.AgentMessage.CommandReply;
import dev.understudy.protocol.AgentMessage.Diverged;
import dev.understudy.protocol.AgentMessage.Hello;
import dev.understudy.protocol.ControllerMessage.Acknowledgement;
import dev.understudy.protocol.ControllerMessage.AskDiverged;
import dev.understudy.protocol.ControllerMessage.Order;
import dev.understudy.protocol.ControllerMessage.Welcome;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/// What a link's messages are for. Called on the connection's reader thread; must return at once.
public interface LinkHandler {

    Hello hello();

    /// The spec as it is now. Heartbeats begin when the future completes; if it fails, the connection is closed.
    CompletableFuture<Void> welcome(Welcome welcome);

    void acknowledged(Acknowledgement acknowledgement);

    /// @param reply sends the answer, from any thread
    void diverged(AskDiverged question, Consumer<Diverged> reply);

    /// @param reply sends the answer over whatever connection this link has by then
    void order(Order order, Consumer<CommandReply> reply);
}
