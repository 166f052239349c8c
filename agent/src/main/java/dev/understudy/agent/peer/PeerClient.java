package dev.understudy.agent.peer;

import dev.understudy.agent.lease.PeerAsker;
import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.PeerMessage.Consent;
import dev.understudy.protocol.PeerMessage.ConsentRequest;
import dev.understudy.protocol.ResourceId;
import dev.understudy.wire.json.MalformedMessage;
import dev.understudy.wire.json.MessageCodec;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.IntSupplier;
import java.util.function.Supplier;
import okhttp3.Call;
import okhttp3.Callback;
import okhttp3.HttpUrl;
import okhttp3.MediaType;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import okio.BufferedSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Asks other agents over kept connections. For each member and resource one question is under way and one, the
/// newest, waits. Thread-safe, never blocks.
public final class PeerClient implements PeerAsker {

    private static final Logger LOG = LoggerFactory.getLogger(PeerClient.class);
    private static final MediaType JSON = MediaType.get("application/json");

    /// The longest answer that is read, in bytes.
    private static final long LONGEST_ANSWER = 4096;

    private final OkHttpClient client;
    private final IntSupplier port;
    private final Supplier<Optional<ClusterSpec>> spec;
    private final Map<Line, Asking> askings = new ConcurrentHashMap<>();

    private record Line(String member, ResourceId resource) {}

    private record Question(ConsentRequest request, Duration within, Consumer<Consent> answered) {}

    /// @param port where every agent of the cluster listens for the others
    /// @param spec says where the members are
    public PeerClient(OkHttpClient client, IntSupplier port, Supplier<Optional<ClusterSpec>> spec) {
        this.client = client;
        this.port = port;
        this.spec = spec;
    }

    @Override
    public void ask(String member, ConsentRequest question, Duration within, Consumer<Consent> answered) {
        askings.computeIfAbsent(new Line(member, question.resource()), Asking::new)
                .ask(new Question(question, within, answered));
    }

    /// Empty for a host that the spec does not have.
    private Optional<HttpUrl> url(String host) {
        return spec.get()
                .flatMap(s -> s.host(host))
                .map(h -> new HttpUrl.Builder()
                        .scheme("http")
                        .host(h.address())
                        .port(port.getAsInt())
                        .addPathSegment("consent")
                        .build());
    }

    /// The questions to one member about one resource.
    private final class Asking implements Callback {
        private final Line line;
        private @Nullable Question underWay; // guarded by this
        private @Nullable Question next; // guarded by this
        private String said = ""; // in the log; guarded by this

        Asking(Line line) {
            this.line = line;
        }

        synchronized void ask(Question question) {
            if (underWay == null) {
                send(question);
            } else {
                next = question;
            }
        }

        private void send(Question question) {
            Optional<HttpUrl> url = url(line.member());
            if (url.isEmpty()) {
                say("no such host in the spec");
                return;
            }
            underWay = question;
            Call call = client.newCall(new Request.Builder()
                    .url(url.get())
                    .post(RequestBody.create(MessageCodec.encode(question.request()), JSON))
                    .build());
            call.timeout().timeout(question.within().toNanos(), TimeUnit.NANOSECONDS);
            call.enqueue(this);
        }

        @Override
        public void onResponse(Call call, Response response) {
            Question question = current();
            try (response) {
                BufferedSource body = response.body().source();
                body.request(LONGEST_ANSWER + 1);
                if (body.getBuffer().size() > LONGEST_ANSWER) {
                    ended("an answer longer than " + LONGEST_ANSWER + " bytes");
                    return;
                }
                String text = body.getBuffer().readUtf8();
                if (response.code() != 200) {
                    ended("HTTP " + response.code() + " " + text.strip());
                } else if (MessageCodec.decodePeer(text) instanceof Consent consent
                        && consent.seq() == question.request().seq()
                        && consent.epoch() == question.request().epoch()
                        && consent.resource().equals(line.resource())) {
                    question.answered().accept(consent);
                    ended(consent.granted() ? "" : consent.reason());
                } else {
                    ended("the answer to another question");
                }
            } catch (IOException | MalformedMessage e) {
                ended(String.valueOf(e.getMessage()));
            }
        }

        @Override
        public void onFailure(Call call, IOException problem) {
            ended(String.valueOf(problem.getMessage()));
        }

        private synchronized Question current() {
            Question question = underWay;
            if (question == null) {
                throw new IllegalStateException("an answer to no question");
            }
            return question;
        }

        private synchronized void ended(String refusal) {
            say(refusal);
            underWay = null;
            Question waiting = next;
            next = null;
            if (waiting != null) {
                send(waiting);
            }
        }

        /// One line when consent is missing and one when it is given again.
        private void say(String refusal) {
            if (refusal.isEmpty() && !said.isEmpty()) {
                LOG.info("event=consent-again resource={} member={}", line.resource(), line.member());
            } else if (!refusal.isEmpty() && said.isEmpty()) {
                LOG.warn(
                        "event=consent-missing resource={} member={} reason=\"{}\"",
                        line.resource(),
                        line.member(),
                        refusal);
            }
            said = refusal;
        }
    }
}
