package dev.understudy.lab.site;

import dev.understudy.lab.kernel.ProcessTable;
import dev.understudy.lab.site.Topology.Kind;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// The programs that run on the lab's hosts, how they are started and stopped, and how their processes are told.
///
/// There is no systemd: the same start and stop commands stand in each agent's file (`command` form) and are used
/// by the lab itself.
public enum LabService {
    HAPROXY("haproxy", "haproxy.service", Kind.BALANCER, "/run/haproxy.pid"),
    NGINX("nginx", "nginx.service", Kind.WEB, "/run/nginx.pid"),
    MARIADB("mariadb", "mariadb.service", Kind.DATABASE, "/run/mysqld/mysqld.pid"),
    AGENT("agent", "understudy-agent.service", null, ""),
    CONTROLLER("controller", "understudy-controller.service", Kind.CONTROLLER, "");

    private final String label;
    private final String unit;
    private final @Nullable Kind kind;
    private final String pidFile;

    LabService(String label, String unit, @Nullable Kind kind, String pidFile) {
        this.label = label;
        this.unit = unit;
        this.kind = kind;
        this.pidFile = pidFile;
    }

    /// The short name that people type.
    public String label() {
        return label;
    }

    /// The unit name in `cluster.yml` and `agent.yml`.
    public String unit() {
        return unit;
    }

    public String pidFile() {
        return pidFile;
    }

    /// The server that a host of this kind exists for.
    public static LabService serverOf(Kind kind) {
        return switch (kind) {
            case BALANCER -> HAPROXY;
            case WEB -> NGINX;
            case DATABASE -> MARIADB;
            case CONTROLLER -> CONTROLLER;
            case CLIENT -> throw new IllegalArgumentException("the client runs no server");
        };
    }

    /// @throws IllegalArgumentException for a name that no program has, naming those that exist
    public static LabService named(String label) {
        for (LabService service : values()) {
            if (service.label.equals(label) || service.unit.equals(label)) {
                return service;
            }
        }
        throw new IllegalArgumentException(
                "no service '" + label + "': there are haproxy nginx mariadb agent controller");
    }

    public boolean runsOn(Kind hostKind) {
        return this == AGENT ? hostKind != Kind.CLIENT && hostKind != Kind.CONTROLLER : kind == hostKind;
    }

    /// The command that starts it and returns; for agent and controller the program itself, which stays.
    public List<String> start(Checkout checkout) {
        return switch (this) {
            case HAPROXY -> List.of("/usr/sbin/haproxy", "-W", "-D", "-f", "/etc/haproxy/haproxy.cfg", "-p", pidFile);
            case NGINX -> List.of("/usr/sbin/nginx", "-c", "/etc/nginx/nginx.conf");
            case MARIADB ->
                List.of(
                        "/usr/sbin/start-stop-daemon",
                        "--start",
                        "--background",
                        "--oknodo",
                        "--pidfile",
                        pidFile,
                        "--exec",
                        "/usr/sbin/mariadbd",
                        "--",
                        "--defaults-file=/etc/mysql/my.cnf");
            case AGENT -> List.of(checkout.agent(), "--config", "/etc/understudy/agent.yml");
            case CONTROLLER ->
                List.of(
                        checkout.controller(),
                        "--cluster",
                        "/etc/understudy/cluster.yml",
                        "--state",
                        "/var/lib/understudy/controller",
                        "--listen",
                        "0.0.0.0:" + Topology.CONTROLLER_PORT);
        };
    }

    /// The command that stops it cleanly and returns when it has ended; none for agent and controller, which end on
    /// SIGTERM.
    public List<String> stop() {
        return switch (this) {
            case HAPROXY, NGINX, MARIADB ->
                List.of(
                        "/usr/sbin/start-stop-daemon",
                        "--stop",
                        "--oknodo",
                        "--retry",
                        "TERM/20/KILL/5",
                        "--pidfile",
                        pidFile,
                        "--exec",
                        switch (this) {
                            case HAPROXY -> "/usr/sbin/haproxy";
                            case NGINX -> "/usr/sbin/nginx";
                            case MARIADB, AGENT, CONTROLLER -> "/usr/sbin/mariadbd";
                        });
            case AGENT, CONTROLLER -> List.of();
        };
    }

    /// Whether a process belongs to the service.
    Predicate<ProcessTable.Entry> processes() {
        return switch (this) {
            case HAPROXY -> entry -> entry.name().equals("haproxy");
            case NGINX -> entry -> entry.name().equals("nginx");
            case MARIADB -> entry -> entry.name().equals("mariadbd");
            case AGENT -> entry -> entry.commandLine().contains("understudy-agent");
            case CONTROLLER -> entry -> entry.commandLine().contains("understudy-controller");
        };
    }
}
