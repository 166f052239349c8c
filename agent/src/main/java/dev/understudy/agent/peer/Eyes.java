package dev.understudy.agent.peer;

import dev.understudy.agent.probe.ObservationSink;
import dev.understudy.agent.probe.ProbeLoop;
import dev.understudy.protocol.Moment;
import dev.understudy.protocol.Observation;
import dev.understudy.protocol.ResourceId;
import dev.understudy.protocol.TimingProfile;
import java.time.Duration;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Stream;
import okhttp3.HttpUrl;
import okhttp3.OkHttpClient;

/// This host's view of others: their agents ([Observation.Peer]) and the addresses that clients use
/// ([Observation.Path]). Each target has a virtual thread of its own that looks, waits and looks again.
public final class Eyes {

    /// How long a look at an address waits for its answer.
    private static final Duration SECOND = Duration.ofSeconds(1);

    private static final Duration HALF_SECOND = Duration.ofMillis(500);

    private final HttpLook look;

    /// @param client for short requests; kept by the caller
    public Eyes(OkHttpClient client) {
        look = new HttpLook(client);
    }

    /// Looks at other agents until it is closed.
    ///
    /// @param port where every agent of the cluster listens for the others
    /// @param timing says how often, and how long for an answer
    public AutoCloseable peers(List<Targets.Peer> peers, int port, TimingProfile timing, ObservationSink sink) {
        return all(peers.stream().map(peer -> peer(peer, port, timing, sink)).toList());
    }

    /// Looks at addresses until it is closed.
    ///
    /// @param own whether this host holds the resource: then it does not look, it would go over loopback
    public AutoCloseable paths(
            List<Targets.Path> paths, Duration interval, Predicate<ResourceId> own, ObservationSink sink) {
        return all(paths.stream()
                .map(path -> path(path, longer(interval, HALF_SECOND), own, sink))
                .toList());
    }

    private AutoCloseable peer(Targets.Peer peer, int port, TimingProfile timing, ObservationSink sink) {
        Duration interval = timing.look(peer.near());
        String host = peer.host().name();
        HttpUrl url = new HttpUrl.Builder()
                .scheme("http")
                .host(peer.host().address())
                .port(port)
                .addPathSegment("alive")
                .build();
        Belief belief = new Belief(interval.multipliedBy(TimingProfile.LOOKS));
        return new ProbeLoop("peer " + host, interval, () -> {
            belief.after(look.again(url, timing.lookTimeOut(peer.near())), now())
                    .ifPresent(seen -> {
                        Observation.Peer observation = new Observation.Peer(host, seen.reach(), seen.detail());
                        if (peer.near()) {
                            sink.publishNow(observation);
                        } else {
                            sink.publish(observation);
                        }
                    });
        });
    }

    private AutoCloseable path(Targets.Path path, Duration interval, Predicate<ResourceId> own, ObservationSink sink) {
        HttpUrl url = HttpUrl.get(path.url());
        Belief belief = new Belief(interval.multipliedBy(TimingProfile.LOOKS));
        return new ProbeLoop("path " + path.resource(), interval, () -> {
            if (own.test(path.resource())) {
                belief.forget();
                return;
            }
            belief.after(look.anew(url, SECOND), now())
                    .filter(_ -> !own.test(path.resource()))
                    .ifPresent(
                            seen -> sink.publish(new Observation.Path(path.resource(), seen.reach(), seen.detail())));
        });
    }

    private static AutoCloseable all(List<AutoCloseable> parts) {
        return () -> {
            for (AutoCloseable part : parts) {
                part.close();
            }
        };
    }

    private static Moment now() {
        return new Moment(System.nanoTime());
    }

    private static Duration longer(Duration one, Duration other) {
        return Stream.of(one, other).max(Duration::compareTo).orElseThrow();
    }
}
