package dev.understudy.core.notice;

/// How soon somebody should look, least first.
public enum Severity {
    /// nothing to do
    INFO,
    /// in working hours: something is less safe than it should be
    WARNING,
    /// now: something does not work, or nothing would take over
    CRITICAL;

    public Severity worse(Severity other) {
        return compareTo(other) >= 0 ? this : other;
    }

    public boolean atLeast(Severity other) {
        return compareTo(other) >= 0;
    }
}
