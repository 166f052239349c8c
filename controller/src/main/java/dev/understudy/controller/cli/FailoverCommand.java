package dev.understudy.controller.cli;

import picocli.CommandLine.Command;

@Command(
        name = "failover",
        description =
                "Replaces the holder without its help: it is fenced, or its lease is waited for. For a holder that"
                        + " works, switchover is gentler.")
final class FailoverCommand extends SwitchoverCommand {

    @Override
    String verb() {
        return "failover";
    }
}
