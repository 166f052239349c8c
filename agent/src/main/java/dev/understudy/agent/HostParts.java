package dev.understudy.agent;

import dev.understudy.agent.act.AddressControl;
import dev.understudy.agent.act.DatabaseControl;
import dev.understudy.agent.act.HaproxyAdmin;
import dev.understudy.agent.act.RouteControl;
import dev.understudy.agent.act.ServiceControl;
import dev.understudy.agent.act.net.GatewayEye;
import dev.understudy.agent.act.net.KernelAddressControl;
import dev.understudy.agent.act.service.CommandService;
import dev.understudy.agent.act.service.SystemdService;
import dev.understudy.agent.config.AgentConfig;
import dev.understudy.agent.config.AgentConfig.CommandForm;
import dev.understudy.agent.config.AgentConfig.DatabaseAccess;
import dev.understudy.agent.database.DatabaseLocal;
import dev.understudy.agent.database.LocalDatabase;
import dev.understudy.agent.database.NftReplicaDoor;
import dev.understudy.agent.database.NftSourceCut;
import dev.understudy.agent.probe.HaproxyProbe;
import dev.understudy.agent.probe.HostProbe;
import dev.understudy.agent.probe.ObservationSink;
import dev.understudy.agent.probe.WebProbe;
import dev.understudy.agent.sys.NetworkNamespace;
import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.ClusterSpec.BalancerGroup;
import dev.understudy.protocol.ClusterSpec.DatabaseGroup;
import dev.understudy.protocol.ClusterSpec.VirtualAddress;
import dev.understudy.protocol.ClusterSpec.WebGroup;
import dev.understudy.protocol.Observation;
import dev.understudy.protocol.ResourceId;
import dev.understudy.wire.http.HttpClients;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import okhttp3.OkHttpClient;

/// The parts for a real host: the kernel's addresses, HAProxy, MariaDB, systemd or commands, /proc.
final class HostParts implements Parts, AutoCloseable {

    private static final String TABLES = "understudy";
    private static final Duration SERVICE = Duration.ofSeconds(60);
    private static final Duration RUNTIME_SOCKET = Duration.ofMillis(500);
    private static final Duration CHECK = Duration.ofSeconds(1);
    private static final Duration HOST_INTERVAL = Duration.ofSeconds(1);

    private final AgentConfig config;
    private final KernelAddressControl addresses;
    private final OkHttpClient checks = HttpClients.requests(CHECK);

    /// @throws IOException without the right to change addresses
    static HostParts start(AgentConfig config) throws IOException {
        return new HostParts(config);
    }

    private HostParts(AgentConfig config) throws IOException {
        this.config = config;
        addresses = KernelAddressControl.start(TABLES, NetworkNamespace.own(), Agent::now);
    }

    @Override
    public AddressControl addresses() {
        return addresses;
    }

    @Override
    public boolean carrier(ResourceId resource) {
        return addresses.carrier(resource);
    }

    @Override
    public ServiceControl service(String name) {
        CommandForm form = config.services().get(name);
        return form == null
                ? new SystemdService(name, SERVICE)
                : new CommandService(new CommandService.Definition(
                        name, form.start(), form.stop(), form.pidFile(), log(name), SERVICE));
    }

    static DatabaseLocal local(AgentConfig config, DatabaseAccess access, String group) {
        return new DatabaseLocal(
                access.socket(),
                access.user(),
                access.passwordFile(),
                access.replicationUser(),
                access.replicationPasswordFile(),
                config.state().resolve("relay-logs-" + group),
                config.diverged());
    }

    @Override
    public Optional<DatabaseControl> database(DatabaseGroup group, ServiceControl service) {
        return Optional.ofNullable(config.databases().get(group.name()))
                .map(access -> new LocalDatabase(
                        group,
                        local(config, access, group.name()),
                        service,
                        new NftSourceCut(List.of(), table(NftSourceCut.TABLE, group)),
                        new NftReplicaDoor(List.of(), table(NftReplicaDoor.TABLE, group), group.port()),
                        new InetSocketAddress(
                                config.copies().address(), config.copies().port())));
    }

    /// One table a group: its rules go when the group gets a new primary.
    private static String table(String name, DatabaseGroup group) {
        return name + "_" + group.name().replaceAll("[^A-Za-z0-9]", "_");
    }

    @Override
    public RouteControl balancer(BalancerGroup group) {
        return new HaproxyAdmin(Path.of(group.haproxy().socket()), RUNTIME_SOCKET)::setServerState;
    }

    @Override
    public AutoCloseable probeBalancer(
            BalancerGroup group, ServiceControl service, Duration interval, ObservationSink sink) {
        HaproxyProbe probe = haproxyProbe(group, service, sink);
        probe.start(interval);
        return probe;
    }

    HaproxyProbe haproxyProbe(BalancerGroup group, ServiceControl service, ObservationSink sink) {
        return new HaproxyProbe(
                group.name(),
                Path.of(group.haproxy().config()),
                Path.of(group.haproxy().socket()),
                service,
                sink,
                RUNTIME_SOCKET);
    }

    @Override
    public AutoCloseable probeWeb(WebGroup group, ClusterSpec.Host self, Duration interval, ObservationSink sink) {
        WebProbe probe = webProbe(group, self, sink);
        probe.start(interval);
        return probe;
    }

    WebProbe webProbe(WebGroup group, ClusterSpec.Host self, ObservationSink sink) {
        return new WebProbe(group.name(), group.checkUrl(), self.address(), checks, sink, CHECK);
    }

    @Override
    public AutoCloseable probeGateway(
            ResourceId resource, VirtualAddress address, String gateway, Duration interval, ObservationSink sink) {
        if (gateway.contains(":")) {
            return () -> {}; // only IPv4 gateways are asked for
        }
        try {
            GatewayEye eye =
                    new GatewayEye(NetworkNamespace.own(), address.networkInterface(), InetAddress.ofLiteral(gateway));
            Repeated loop = new Repeated("gateway " + resource, interval, () -> {
                try {
                    eye.look(interval)
                            .ifPresent(seen -> sink.publish(new Observation.Gateway(resource, seen, gateway)));
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
            return () -> {
                loop.close();
                eye.close();
            };
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public AutoCloseable probeHost(ObservationSink sink) {
        HostProbe probe = hostProbe(sink);
        probe.start(HOST_INTERVAL);
        return probe;
    }

    HostProbe hostProbe(ObservationSink sink) {
        return new HostProbe(config.state(), sink);
    }

    private Path log(String service) {
        return config.state().resolve(service.replace('/', '_') + ".log");
    }

    @Override
    public void close() {
        addresses.close();
        HttpClients.close(checks);
    }
}
