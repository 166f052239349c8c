/// Reads the dashboards of `dashboards/grafana`, for the tests that check them.
@NullMarked
package dev.understudy.dashboards;

import org.jspecify.annotations.NullMarked;
