/// What both processes need around the protocol: the JSON codec (`json`), the one place that makes HTTP clients
/// (`http`), and the one metrics registry (`metrics`).
@NullMarked
package dev.understudy.wire;

import org.jspecify.annotations.NullMarked;
