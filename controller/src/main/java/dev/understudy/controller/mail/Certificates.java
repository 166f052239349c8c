package dev.understudy.controller.mail;

import dev.understudy.core.State;
import dev.understudy.core.notice.Severity;
import dev.understudy.core.notice.Symptom;
import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.ClusterSpec.BalancerGroup;
import dev.understudy.protocol.ClusterSpec.DatabaseGroup;
import dev.understudy.protocol.ClusterSpec.Group;
import dev.understudy.protocol.ClusterSpec.VirtualAddress;
import dev.understudy.protocol.ClusterSpec.WebGroup;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;
import org.jspecify.annotations.Nullable;

/// When the certificates end that the site's `https` checks, the webhook, the watchdog's URL and a mail server with
/// `tls: tls` show. They are read, not trusted: one that is not valid for another reason is somebody else's
/// finding. Blocks, for three seconds at most for each.
final class Certificates {

    private static final Duration LIMIT = Duration.ofSeconds(3);
    private static final Duration WARNING = Duration.ofDays(21);
    private static final Duration CRITICAL = Duration.ofDays(7);
    private static final int HTTPS = 443;
    private static final int MOST = 64;

    private Certificates() {}

    private record Endpoint(String host, int port) {
        String name() {
            return host + ":" + port;
        }
    }

    /// Those that end soon or have ended. An endpoint that does not answer says nothing.
    static List<Symptom> endingSoon(State state, NoticeSettings settings, Instant now) {
        List<Symptom> soon = new ArrayList<>();
        endpoints(state.spec(), settings).forEach((endpoint, groups) -> {
            Instant end = end(endpoint);
            if (end != null && end.isBefore(now.plus(WARNING))) {
                long days = Duration.between(now, end).toDays();
                boolean over = end.isBefore(now);
                soon.add(new Symptom(
                        "certificate/" + endpoint.name(),
                        2,
                        end.isBefore(now.plus(CRITICAL)) ? Severity.CRITICAL : Severity.WARNING,
                        "the certificate of " + endpoint.name()
                                + (over ? " has ended at " + end : " ends in " + days + " days, at " + end),
                        List.of("certificate/" + endpoint.name()),
                        groups,
                        Duration.ZERO,
                        ""));
            }
        });
        return soon;
    }

    private static Map<Endpoint, List<String>> endpoints(ClusterSpec spec, NoticeSettings settings) {
        Map<Endpoint, List<String>> found = new TreeMap<>((a, b) -> a.name().compareTo(b.name()));
        for (Group group : spec.groups()) {
            List<String> named = List.of(group.name());
            switch (group) {
                case BalancerGroup balancers -> {
                    for (VirtualAddress address : balancers.addresses()) {
                        add(found, balancers.checkUrl(), address.ip(), named);
                    }
                }
                case WebGroup web ->
                    web.members()
                            .forEach(m -> spec.host(m).ifPresent(h -> add(found, web.checkUrl(), h.address(), named)));
                case DatabaseGroup _ -> {}
            }
        }
        List<String> all = spec.groups().stream().map(Group::name).toList();
        NoticeSettings.Webhook webhook = settings.webhook();
        add(found, webhook == null ? null : webhook.url(), "", all);
        add(found, settings.heartbeatUrl(), "", all);
        NoticeSettings.Mail mail = settings.mail();
        if (mail != null && mail.smtp().security() == NoticeSettings.Security.TLS) {
            found.putIfAbsent(new Endpoint(mail.smtp().host(), mail.smtp().port()), all);
        }
        return found;
    }

    private static void add(
            Map<Endpoint, List<String>> found, @Nullable String url, String address, List<String> groups) {
        if (url == null || !url.startsWith("https:") || found.size() >= MOST) {
            return;
        }
        String host = address.contains(":") ? "[" + address + "]" : address;
        URI uri = URI.create(url.replace("{address}", host));
        found.putIfAbsent(new Endpoint(uri.getHost(), uri.getPort() < 0 ? HTTPS : uri.getPort()), groups);
    }

    private static @Nullable Instant end(Endpoint endpoint) {
        int millis = (int) LIMIT.toMillis();
        End end = new End();
        try (Socket plain = new Socket()) {
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, new TrustManager[] {end}, new SecureRandom());
            plain.connect(new InetSocketAddress(endpoint.host(), endpoint.port()), millis);
            plain.setSoTimeout(millis);
            try (SSLSocket socket = (SSLSocket)
                    context.getSocketFactory().createSocket(plain, endpoint.host(), endpoint.port(), false)) {
                socket.startHandshake();
            }
        } catch (IOException | GeneralSecurityException e) {
            // what was shown before it failed counts
        }
        return end.at;
    }

    /// Looks at the server's own certificate and lets nothing be sent over the connection.
    private static final class End implements X509TrustManager {
        private @Nullable Instant at;

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) {
            Date end = chain[0].getNotAfter();
            at = end.toInstant();
        }

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
