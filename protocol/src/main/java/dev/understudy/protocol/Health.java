package dev.understudy.protocol;

/// What one observer can say of a service. Silence, a time-out of the probe itself, or an error that a living server
/// may give (1040 "too many connections") is UNKNOWN or UP, never DOWN.
public enum Health {
    UP,
    DOWN,
    UNKNOWN
}
