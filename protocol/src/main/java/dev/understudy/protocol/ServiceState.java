package dev.understudy.protocol;

/// The process of a watched service, as the agent beside it sees it.
public enum ServiceState {
    /// the process lives (whether it answers is another question)
    RUNNING,
    /// the process ended in a way that no operator asked for: killed, crashed
    ENDED,
    /// the process was stopped cleanly, by an operator or a package upgrade
    STOPPED,
    /// not looked yet, or it cannot be told
    UNKNOWN
}
