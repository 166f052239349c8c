package dev.understudy.lab.tour;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/// What the tour measured. Its JSON has exactly these fields.
public record TourReport(boolean ok, String profile, List<Row> events) {

    public TourReport {
        events = List.copyOf(events);
    }

    /// One event; -1 stands for what could not be measured because the site was not well before.
    public record Row(
            String event,
            @JsonProperty("outage_ms") long outageMillis,
            @JsonProperty("bound_ms") long boundMillis,
            @JsonProperty("requests_failed") int requestsFailed,
            @JsonProperty("acknowledged_rows_lost") int acknowledgedRowsLost,
            @JsonProperty("max_holders") int maxHolders,
            boolean ok) {}

    public String json() {
        return JsonMapper.builder()
                        .enable(SerializationFeature.INDENT_OUTPUT)
                        .build()
                        .writeValueAsString(this)
                + "\n";
    }

    /// For the terminal, and for the README.
    public String table() {
        var text = new StringBuilder();
        text.append(
                "| event               | outage ms | bound ms | requests failed | acknowledged rows lost | holders | ok  |\n");
        text.append(
                "| ------------------- | --------: | -------: | --------------: | ---------------------: | ------: | --- |\n");
        for (Row row : events) {
            text.append("| %-19s | %9d | %8d | %15d | %22d | %7d | %-3s |%n"
                    .formatted(
                            row.event(),
                            row.outageMillis(),
                            row.boundMillis(),
                            row.requestsFailed(),
                            row.acknowledgedRowsLost(),
                            row.maxHolders(),
                            row.ok() ? "yes" : "NO"));
        }
        return text.toString();
    }
}
