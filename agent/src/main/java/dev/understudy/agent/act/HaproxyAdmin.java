package dev.understudy.agent.act;

import dev.understudy.agent.probe.HaproxyStats;
import dev.understudy.agent.probe.RuntimeSocket;
import dev.understudy.protocol.Observation.ServerState;
import dev.understudy.protocol.Outcome;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/// Sets the state of HAProxy's servers through the runtime socket (level admin) and reads it back. Thread-safe;
/// blocks at most three times the time-out.
public final class HaproxyAdmin {

    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_.:-]+");

    private final RuntimeSocket socket;

    public HaproxyAdmin(Path socket, Duration timeout) {
        this.socket = new RuntimeSocket(socket, timeout);
    }

    /// Done facts: `status`, HAProxy's own word for the state that it has now.
    ///
    /// @param state `ready`, `drain` or `maint`
    public Outcome setServerState(String backend, String server, String state) {
        if (!state.equals("ready") && !state.equals("drain") && !state.equals("maint")) {
            return new Outcome.Refused("unsupported", "a server's state is ready, drain or maint, not '" + state + "'");
        }
        if (!NAME.matcher(backend).matches() || !NAME.matcher(server).matches()) {
            return new Outcome.Refused("unsupported", "no name of a server: '" + backend + "/" + server + "'");
        }
        try {
            String said = socket.ask("set server " + backend + "/" + server + " state " + state);
            if (!said.isEmpty()) {
                return new Outcome.Failed("HAProxy: " + said);
            }
            Optional<ServerState> now = HaproxyStats.servers(socket.ask("show stat")).stream()
                    .filter(s -> s.backend().equals(backend) && s.server().equals(server))
                    .findFirst();
            if (now.isEmpty()) {
                return new Outcome.Failed("HAProxy has no server " + backend + "/" + server);
            }
            String status = now.get().status();
            return matches(state, status)
                    ? new Outcome.Done(Map.of("status", status))
                    : new Outcome.Failed("HAProxy reads back " + status + " after " + state);
        } catch (RuntimeSocket.Closed e) {
            return new Outcome.Failed(String.valueOf(e.getMessage()));
        } catch (IOException | IllegalArgumentException e) {
            return new Outcome.Unknown("HAProxy: " + e.getMessage());
        }
    }

    private static boolean matches(String state, String status) {
        boolean maint = status.startsWith("MAINT");
        boolean drain = status.startsWith("DRAIN");
        return switch (state) {
            case "maint" -> maint;
            case "drain" -> drain;
            default -> !maint && !drain;
        };
    }
}
