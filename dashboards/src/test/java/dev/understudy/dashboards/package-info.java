@NullMarked
package dev.understudy.dashboards;

import org.jspecify.annotations.NullMarked;
