package dev.understudy.lab.command;

import dev.understudy.lab.site.Checkout;
import dev.understudy.lab.site.ControllerApi;
import dev.understudy.lab.site.Lab;
import dev.understudy.lab.site.Site;
import java.io.Console;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// Starts a site and keeps it up until Ctrl-C, showing its state.
@Command(name = "up", mixinStandardHelpOptions = true, description = "Start a site and keep it up until Ctrl-C.")
final class UpCommand implements Callable<Integer> {

    private static final long REFRESH_MILLIS = 500;

    @Option(names = "--profile", defaultValue = "standard", description = "timing profile: fast, standard or relaxed")
    private String profile = "standard";

    @Option(names = "--servers-only", description = "the servers without agents and controller")
    private boolean serversOnly;

    @Override
    public Integer call() throws InterruptedException {
        Checkout checkout = Checkout.find();
        Site.Options options = Site.Options.of(checkout).withProfile(profile);
        try (Site site = Site.start(serversOnly ? options.serversOnly() : options, UpCommand::say);
                ControllerApi api = new ControllerApi(site.lab().page())) {
            introduce(checkout, site.lab());
            LiveView view = new LiveView(api, isTerminal());
            while (true) {
                if (!serversOnly) {
                    view.refresh();
                }
                Thread.sleep(REFRESH_MILLIS);
            }
        }
    }

    static void say(String line) {
        System.out.println(line);
    }

    private static boolean isTerminal() {
        return Optional.ofNullable(System.console()).map(Console::isTerminal).orElse(false);
    }

    private static void introduce(Checkout checkout, Lab lab) {
        say("""

                The controller's page: %1$s      Ctrl-C ends the site and removes every trace of it.
                To try, in another terminal (as root):

                  lab=%2$s
                  $lab kill lb1 haproxy            kill the active balancer's HAProxy
                  $lab start lb1 haproxy           and start it again
                  $lab cut db1                     cut a host off (--one-way in|out, --from ctl1, --network front|back)
                  $lab heal db1                    undo every cut of it
                  $lab freeze db1                  stop all its processes in their tracks (thaw lets them go on)
                  $lab power-off db2               pull the plug (power-on starts it again)
                  $lab restart db1 mariadb         restart a service cleanly
                  $lab exec client -- curl -s http://10.77.1.100/
                  $lab exec ctl1 -- %3$s status
                  $lab --help                      all the rest
                """.formatted(lab.page(), checkout.lab(), checkout.cli()));
    }
}
