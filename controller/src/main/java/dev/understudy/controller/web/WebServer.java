package dev.understudy.controller.web;

import dev.understudy.controller.loop.ControllerLoop;
import dev.understudy.controller.loop.Ticking;
import dev.understudy.controller.mail.Notifier;
import dev.understudy.wire.json.Json;
import dev.understudy.wire.metrics.Metrics;
import io.javalin.Javalin;
import io.javalin.config.JavalinConfig;
import io.javalin.http.HttpStatus;
import java.util.Map;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The one place where the controller's server is made (TLS comes in here later).
public final class WebServer implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(WebServer.class);
    private static final long MAX_BODY = 1 << 18;

    private final Javalin javalin;

    private WebServer(Javalin javalin) {
        this.javalin = javalin;
    }

    /// Starts to listen.
    ///
    /// @param port 0: any free one
    /// @param grafana where the dashboards are, empty for none
    /// @throws io.javalin.util.JavalinException if the address cannot be bound
    public static WebServer start(
            String host,
            int port,
            ControllerLoop loop,
            Notifier notifier,
            String controller,
            Ticking clock,
            Metrics metrics,
            String grafana) {
        ApiRoutes api = new ApiRoutes(loop, controller, clock, metrics);
        AgentLink agents = new AgentLink(loop);
        Pages pages = new Pages(api, grafana);
        NoticeRoutes notices = new NoticeRoutes(api, notifier);
        Javalin javalin = Javalin.create(config -> {
            configure(config);
            config.routes.ws("/agent", agents::configure);
            api.configure(config.routes);
            pages.configure(config.routes);
            notices.configure(config.routes);
            errors(config);
        });
        return new WebServer(javalin.start(host, port));
    }

    private static void configure(JavalinConfig config) {
        config.startup.showJavalinBanner = false;
        config.startup.showOldJavalinVersionWarning = false;
        config.startup.startupWatcherEnabled = false;
        config.http.maxRequestSize = MAX_BODY;
        config.http.generateEtags = false;
        config.jetty.threadPool = threads();
        config.jetty.modifyHttpConfiguration(http -> http.setSendServerVersion(false));
        config.jetty.modifyServer(server -> server.setStopTimeout(500));
        config.jetty.modifyWebSocketServletFactory(factory -> {
            factory.setMaxTextMessageSize(Json.MAX_CHARS);
            factory.setIdleTimeout(AgentLink.IDLE);
        });
    }

    /// A few threads for sockets; requests, which may wait for the loop, run on virtual ones.
    private static QueuedThreadPool threads() {
        QueuedThreadPool pool = new QueuedThreadPool(16, 4);
        pool.setName("web");
        pool.setVirtualThreadsExecutor(java.util.concurrent.Executors.newVirtualThreadPerTaskExecutor());
        return pool;
    }

    private static void errors(JavalinConfig config) {
        config.routes.exception(
                ApiRoutes.Refused.class, (e, context) -> ApiRoutes.json(context, e.status(), e.problem()));
        config.routes.exception(Exception.class, (e, context) -> {
            if (e instanceof RuntimeException && !(e instanceof io.javalin.http.HttpResponseException)) {
                LOG.error("request={} {} failed", context.method(), context.path(), e);
                ApiRoutes.json(context, 500, Map.of("error", "internal error, see the controller's log"));
            } else {
                ApiRoutes.json(context, 400, Map.of("error", String.valueOf(e.getMessage())));
            }
        });
        config.routes.error(HttpStatus.NOT_FOUND.getCode(), context -> {
            if (context.attribute(ApiRoutes.ANSWERED) == null) {
                ApiRoutes.json(context, 404, Map.of("error", "there is no " + context.path() + " here"));
            }
        });
    }

    public int port() {
        return javalin.port();
    }

    @Override
    public void close() {
        javalin.stop();
    }
}
