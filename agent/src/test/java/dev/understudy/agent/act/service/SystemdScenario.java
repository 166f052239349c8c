package dev.understudy.agent.act.service;

import dev.understudy.agent.sys.LibC;
import dev.understudy.protocol.ServiceState;
import java.time.Duration;

/// Runs inside the namespaces of a private systemd and prints what happens, a line a step: process ids are those of
/// that namespace.
final class SystemdScenario {

    private static final Duration TIMEOUT = Duration.ofSeconds(10);

    private SystemdScenario() {}

    public static void main(String[] arguments) {
        try (SystemdService service = new SystemdService(arguments[0], TIMEOUT)) {
            service.watch(state -> say("heard " + state));
            say("first " + service.state() + " " + service.mainPid());
            say("start " + service.start().describe() + " " + (service.mainPid() > 0));
            say("kill " + service.kill().describe());
            awaitState(service, ServiceState.ENDED);
            say("start " + service.start().describe());
            say("stop " + service.stop().describe());
            awaitState(service, ServiceState.STOPPED);
            say("start " + service.start().describe());
            LibC.kill(service.mainPid(), 11); // SIGSEGV
            awaitState(service, ServiceState.ENDED);
        }
        try (SystemdService missing = new SystemdService("usnet-missing.service", TIMEOUT)) {
            say("missing " + missing.start().describe().replaceAll("exited.*", ""));
        }
    }

    private static void awaitState(SystemdService service, ServiceState state) {
        if (!Commands.await(() -> service.state() == state, TIMEOUT)) {
            throw new IllegalStateException("not " + state + " but " + service.state());
        }
    }

    private static void say(String line) {
        System.out.println("> " + line);
    }
}
