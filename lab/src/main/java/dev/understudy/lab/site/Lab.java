package dev.understudy.lab.site;

import dev.understudy.lab.kernel.Waiting;
import dev.understudy.lab.site.Topology.HostPlan;
import dev.understudy.lab.site.Topology.Network;
import java.net.URI;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// A running lab as seen by whoever plays with it: its hosts and every fault. Any process of this machine may hold
/// one; only [Site] starts and ends it. Any thread.
public final class Lab {

    static final String SWITCH = "switch";
    static final String PAGE_PORT = "page.port";

    private final RunFolder run;
    private final Switch wires;
    private final Map<String, LabHost> hosts;

    Lab(RunFolder run, Switch wires, List<LabHost> hosts) {
        this.run = run;
        this.wires = wires;
        this.hosts = new LinkedHashMap<>();
        hosts.forEach(host -> this.hosts.put(host.name(), host));
    }

    /// The lab that runs on this machine now; the newest if there are several.
    public static Optional<Lab> running(Checkout checkout) {
        return RunFolder.live().stream()
                .filter(folder -> folder.pid(SWITCH).isPresent())
                .findFirst()
                .map(folder -> {
                    List<LabHost> hosts = Topology.HOSTS.stream()
                            .map(plan -> new LabHost(
                                    plan,
                                    folder.pid(plan.name())
                                            .orElseThrow(() -> new IllegalStateException(
                                                    "the lab in " + folder.path() + " is starting or ending")),
                                    folder.host(plan.name()),
                                    checkout))
                            .toList();
                    return new Lab(folder, new Switch(folder.pid(SWITCH).orElseThrow()), hosts);
                });
    }

    public RunFolder run() {
        return run;
    }

    /// @throws IllegalArgumentException for a name that no host has
    public LabHost host(String name) {
        return host(Topology.host(name));
    }

    public LabHost host(HostPlan plan) {
        LabHost host = hosts.get(plan.name());
        if (host == null) {
            throw new IllegalArgumentException(plan.name() + " is not part of this lab");
        }
        return host;
    }

    public List<LabHost> hosts() {
        return List.copyOf(hosts.values());
    }

    /// Where the controller's page is, on this machine's own loopback.
    public URI page() {
        return URI.create("http://127.0.0.1:"
                + run.get(PAGE_PORT).orElseThrow(() -> new IllegalStateException("the lab is starting")) + "/");
    }

    /// Plugs a process that is no host of the site into one of its networks.
    void unplug(String port) {
        wires.unplug(port);
    }

    void plug(String port, long pid, String networkInterface, Topology.Network network) {
        wires.plug(port, pid, networkInterface, network);
    }

    public void cut(String host) {
        cut(Cut.of(host));
    }

    /// Cuts cables; the interfaces keep their carrier.
    public void cut(Cut cut) {
        if (cut.from().isEmpty()) {
            wires.cut(cut.host(), cut.direction(), cut.networks());
        } else {
            cut.from().forEach(other -> wires.cutBetween(cut.host(), other, cut.direction(), cut.networks()));
        }
    }

    /// Cuts hosts off from everybody for this long, then heals them.
    public void cutFor(Duration length, String... names) {
        for (String name : names) {
            cut(name);
        }
        Waiting.pass(length);
        for (String name : names) {
            heal(name);
        }
    }

    /// Leaves everything as it is for this long.
    public void wholeFor(Duration length) {
        Waiting.pass(length);
    }

    /// Undoes every cut, loss and delay of a host.
    public void heal(String host) {
        wires.heal(Topology.host(host));
    }

    public void healAll() {
        hosts.keySet().forEach(this::heal);
    }

    /// Drops this share of all packets to and from the host.
    public void lose(String host, int percent) {
        wires.lose(Topology.host(host), percent, Set.of(Network.values()));
    }

    /// Holds back every packet to the host for this long; 0 ends it.
    ///
    /// @throws IllegalStateException when this kernel cannot (netem)
    public void delay(String host, int millis) {
        wires.delay(Topology.host(host), millis, Set.of(Network.values()));
    }

    /// The switch's rules as text.
    public String wires() {
        return wires.describe();
    }
}
