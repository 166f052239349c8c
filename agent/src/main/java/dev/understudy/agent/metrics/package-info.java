/// The host's own metrics under the names and labels of Prometheus' node_exporter (1.5, which Debian 12 ships), so
/// that dashboards and alerts made for it go on working. Read at each scrape from /proc, /sys and by system calls; no
/// process is started. The parsers are pure. What a kernel does not have is left out.
@NullMarked
package dev.understudy.agent.metrics;

import org.jspecify.annotations.NullMarked;
