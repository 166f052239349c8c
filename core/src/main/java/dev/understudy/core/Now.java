package dev.understudy.core;

import dev.understudy.protocol.Moment;
import java.time.Instant;

/// The present, as a value. `mono` decides; `wall` is only written down for people.
public record Now(Moment mono, Instant wall) {}
