/// Tests of the HTTP clients.
@NullMarked
package dev.understudy.wire.http;

import org.jspecify.annotations.NullMarked;
