package dev.understudy.lab.command;

import dev.understudy.lab.site.Checkout;
import dev.understudy.lab.site.ControllerApi;
import dev.understudy.lab.site.Evidence;
import dev.understudy.lab.site.Site;
import dev.understudy.lab.tour.Tour;
import dev.understudy.lab.tour.TourEvent;
import dev.understudy.lab.tour.TourReport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// Starts a site, lets the tour's events happen to it, and reports.
@Command(
        name = "tour",
        mixinStandardHelpOptions = true,
        description = "Start a site, let six things happen to it, and measure. Exit 0 only if all went well.")
final class TourCommand implements Callable<Integer> {

    @Option(names = "--profile", defaultValue = "standard", description = "timing profile: fast, standard or relaxed")
    private String profile = "standard";

    @Option(names = "--json", paramLabel = "FILE", description = "write the figures to this file")
    private @Nullable Path json;

    @Option(names = "--only", paramLabel = "EVENT", split = ",", description = "only these events")
    private @Nullable List<String> only;

    @Option(names = "--keep-logs", paramLabel = "FOLDER", description = "copy the site's logs here at the end")
    private @Nullable Path keepLogs;

    @Override
    public Integer call() throws IOException {
        List<String> wanted = only;
        List<TourEvent> events = Arrays.stream(TourEvent.values())
                .filter(event -> wanted == null || wanted.contains(event.label()))
                .toList();
        Site.Options options = Site.Options.of(Checkout.find()).withProfile(profile);
        try (Site site = Site.start(options, UpCommand::say);
                ControllerApi api = new ControllerApi(site.lab().page())) {
            TourReport report = new Tour(site.lab(), api, profile, UpCommand::say).run(events);
            UpCommand.say("");
            UpCommand.say(report.table());
            if (json != null) {
                Files.writeString(json, report.json());
            }
            if (keepLogs != null) {
                Evidence.collect(site.lab(), api, keepLogs);
            } else if (!report.ok()) {
                Path folder = Checkout.find().failures().resolve("tour");
                Evidence.collect(site.lab(), api, folder);
                UpCommand.say("journal, logs and state of the site are in " + folder);
            }
            UpCommand.say(report.ok() ? "all well" : "NOT well");
            return report.ok() ? 0 : 1;
        }
    }
}
