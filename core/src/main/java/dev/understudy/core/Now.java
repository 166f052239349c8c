package dev.understudy.core;

import dev.understudy.protocol.Moment;
import java.time.Instant;

/// The present, as a value. `mono` decides; `wall` is written down for people, and ends
/// what they said should last until a time of day ([Operations]).
public record Now(Moment mono, Instant wall) {}
