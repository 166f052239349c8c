package dev.understudy.lab.command;

import dev.understudy.lab.site.Checkout;
import dev.understudy.lab.site.Site;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// Starts a site and keeps it up until Ctrl-C.
@Command(name = "up", mixinStandardHelpOptions = true, description = "Start a site and keep it up until Ctrl-C.")
final class UpCommand implements Callable<Integer> {

    @Option(names = "--profile", defaultValue = "standard", description = "timing profile: fast, standard or relaxed")
    private String profile = "standard";

    @Option(names = "--servers-only", description = "the servers without agents and controller")
    private boolean serversOnly;

    @Override
    public Integer call() throws InterruptedException {
        Site.Options options = Site.Options.of(Checkout.find()).withProfile(profile);
        try (Site site = Site.start(serversOnly ? options.serversOnly() : options, UpCommand::say)) {
            System.out.println("the controller's page: " + site.lab().page());
            new CountDownLatch(1).await();
        }
        return 0;
    }

    static void say(String line) {
        System.out.println(line);
    }
}
