package dev.understudy.lab.tour;

import dev.understudy.lab.site.LabService;
import dev.understudy.lab.site.Wellness;

/// The events of the tour, in their order.
public enum TourEvent {
    // spotless:off
    BALANCER_KILLED    ("balancer-killed",     Wellness.SITE,    Kind.KILLED,     500, "kill the active balancer's HAProxy"),
    BALANCER_CUT_OFF   ("balancer-cut-off",    Wellness.SITE,    Kind.CUT_OFF,   3000, "cut off the active balancer's host"),
    BALANCER_SWITCHOVER("balancer-switchover", Wellness.SITE,    Kind.SWITCHOVER, 500, "move the virtual address as planned"),
    DATABASE_KILLED    ("database-killed",     Wellness.PRIMARY, Kind.KILLED,    1500, "kill the primary's mariadbd"),
    DATABASE_CUT_OFF   ("database-cut-off",    Wellness.PRIMARY, Kind.CUT_OFF,   3000, "cut off the primary's host"),
    DATABASE_SWITCHOVER("database-switchover", Wellness.PRIMARY, Kind.SWITCHOVER, 1000, "move the primary as planned");
    // spotless:on

    /// Failed requests that a planned move of the address may cost.
    static final int MOST_FAILED_WHEN_PLANNED = 5;

    private final String label;
    private final String resource;
    private final Kind kind;
    private final int boundMillis;
    private final String text;

    TourEvent(String label, String resource, Kind kind, int boundMillis, String text) {
        this.label = label;
        this.resource = resource;
        this.kind = kind;
        this.boundMillis = boundMillis;
        this.text = text;
    }

    /// What happens to the holder.
    public enum Kind {
        KILLED,
        CUT_OFF,
        SWITCHOVER
    }

    public String label() {
        return label;
    }

    /// The resource whose holder changes.
    public String resource() {
        return resource;
    }

    public Kind kind() {
        return kind;
    }

    public String text() {
        return text;
    }

    /// The longest outage that is still well. A silent host is noticed by its silence, so that bound grows with the
    /// profile's time to live.
    public int boundMillis(String profile) {
        return kind == Kind.CUT_OFF && profile.equals("relaxed") ? 10_000 : boundMillis;
    }

    /// Whether the outage is the client's (through the virtual address) or the writer's.
    boolean ofBalancers() {
        return resource.equals(Wellness.SITE);
    }

    LabService service() {
        return ofBalancers() ? LabService.HAPROXY : LabService.MARIADB;
    }
}
