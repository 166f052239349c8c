package dev.understudy.controller.api;

import dev.understudy.protocol.Observation;
import dev.understudy.protocol.ServiceState;
import java.time.Instant;
import java.util.Locale;
import java.util.stream.Collectors;

/// Observations in a person's words.
final class Sights {

    private Sights() {}

    static Api.Sight of(Observation observation) {
        return switch (observation) {
            case Observation.HostBasics host ->
                sight(
                        host,
                        "up",
                        String.format(
                                Locale.ROOT,
                                "load %.2f, %s memory free, %s disk free",
                                host.load1(),
                                bytes(host.memoryAvailableBytes()),
                                bytes(host.diskFreeBytes())));
            case Observation.Balancer balancer ->
                sight(balancer, word(balancer.health()), balancer(balancer) + detail(balancer.detail()));
            case Observation.Web web ->
                sight(
                        web,
                        word(web.health()),
                        (web.httpStatus() > 0 ? "HTTP " + web.httpStatus() : "no answer") + detail(web.detail()));
            case Observation.Attachment attachment ->
                sight(
                        attachment,
                        attachment.detached() ? "unknown" : "up",
                        attachment.detached() ? "detached: left as it was" : "takes part");
            case Observation.Peer peer -> sight(peer, word(peer.reach()), "seen from here" + detail(peer.detail()));
            case Observation.Gateway gateway ->
                sight(gateway, word(gateway.reach()), "gateway" + detail(gateway.detail()));
            case Observation.Settings settings -> sight(settings, standing(settings), settings(settings));
            case Observation.Path path ->
                sight(path, word(path.reach()), "through the network" + detail(path.detail()));
            case Observation.Address address -> sight(address, address.present() ? "up" : "absent", address(address));
            case Observation.Backup backup -> sight(backup, backup.file().isEmpty() ? "absent" : "up", backup(backup));
            case Observation.Data data -> sight(data, "up", data(data));
            case Observation.Database database ->
                sight(database, word(database.health()), database(database) + detail(database.detail()));
        };
    }

    private static String word(Observation.Reach reach) {
        return reach.name().toLowerCase(Locale.ROOT);
    }

    private static Api.Sight sight(Observation observation, String health, String text) {
        return new Api.Sight(observation.key(), health, text);
    }

    private static String balancer(Observation.Balancer balancer) {
        long up = balancer.servers().stream()
                .filter(s -> s.status().startsWith("UP") || s.status().equals("no check"))
                .count();
        return service(balancer.service()) + up + " of " + balancer.servers().size() + " servers up";
    }

    private static String address(Observation.Address address) {
        String here = address.present() ? "present" : "not on this host";
        String carrier = address.carrier() ? "" : ", no carrier";
        String gate = address.enforced() ? "" : ", lease not enforced by the kernel" + detail(address.detail());
        return here + carrier + gate;
    }

    private static String database(Observation.Database database) {
        StringBuilder text = new StringBuilder(service(database.service()));
        Boolean readOnly = database.readOnly();
        text.append(readOnly == null ? "mode not known" : readOnly ? "read-only" : "writable");
        Observation.Replica replica = database.replica();
        if (replica != null) {
            text.append(", follows ").append(replica.source());
            text.append(" (receiver ").append(replica.receiver());
            text.append(", applier ").append(replica.applier()).append(')');
            if (replica.secondsBehind() > 0) {
                text.append(", ").append(replica.secondsBehind()).append(" s behind");
            }
        }
        if (!database.binlogPosition().isEmpty()) {
            text.append(", at ").append(database.binlogPosition());
        }
        for (Observation.Trouble trouble : database.troubles()) {
            text.append(", ").append(trouble.name().toLowerCase(Locale.ROOT).replace('_', ' '));
        }
        return text.toString();
    }

    private static String standing(Observation.Settings settings) {
        return settings.findings().stream().anyMatch(f -> f.severity() == Observation.Severity.BLOCKS)
                ? "unfit"
                : settings.findings().isEmpty() ? "up" : "warns";
    }

    private static String settings(Observation.Settings settings) {
        String text = settings.findings().isEmpty()
                ? "nothing to find fault with"
                : settings.findings().stream()
                        .map(Observation.Finding::describe)
                        .collect(Collectors.joining("; "));
        String delay = settings.delaySeconds() > 0 ? ", delayed by " + settings.delaySeconds() + " s" : "";
        String disk =
                settings.diskFreeBytes() >= 0 ? ", " + bytes(settings.diskFreeBytes()) + " free for its data" : "";
        return text + delay + disk;
    }

    private static String backup(Observation.Backup backup) {
        String newest = backup.file().isEmpty()
                ? "no backup here"
                : backup.file() + " of " + Instant.ofEpochSecond(backup.newestSeconds());
        return newest + detail(backup.trouble());
    }

    private static String data(Observation.Data data) {
        String size = data.dataBytes() < 0
                ? "size not known"
                : bytes(data.dataBytes()) + ", room for " + bytes(Math.max(0, data.freeBytes())) + " beside it";
        String hindered = data.cannotGive().isEmpty() && data.cannotReceive().isEmpty()
                ? ""
                : data.cannotGive().isEmpty()
                        ? "; cannot be rebuilt: " + data.cannotReceive()
                        : "; cannot be copied: " + data.cannotGive();
        Observation.Copying copying = data.copying();
        return copying == null ? size + hindered : size + "; " + copying(copying);
    }

    /// `receiving R12.1: 40 % (412 MiB of 1.0 GiB, 48.2 MiB a second)`.
    static String copying(Observation.Copying copying) {
        return String.format(
                Locale.ROOT,
                "%s %s: %d %% (%s of %s, %.1f MiB a second)",
                word(copying.step()),
                copying.copy(),
                copying.percent(),
                bytes(copying.bytes()),
                bytes(copying.total()),
                copying.bytesPerSecond() / (double) (1 << 20));
    }

    private static String service(ServiceState state) {
        return switch (state) {
            case RUNNING -> "";
            case ENDED -> "the process ended, ";
            case STOPPED -> "stopped cleanly, ";
            case UNKNOWN -> "process not known, ";
        };
    }

    private static String detail(String detail) {
        return detail.isBlank() ? "" : " (" + detail + ")";
    }

    private static String word(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }

    private static String bytes(long bytes) {
        double gib = bytes / (double) (1L << 30);
        return gib >= 1
                ? String.format(Locale.ROOT, "%.1f GiB", gib)
                : String.format(Locale.ROOT, "%d MiB", bytes >> 20);
    }
}
