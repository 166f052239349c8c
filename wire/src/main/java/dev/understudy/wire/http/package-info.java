/// The one place where an HTTP or WebSocket client is made.
@NullMarked
package dev.understudy.wire.http;

import org.jspecify.annotations.NullMarked;
