package dev.understudy.agent.act;

/// Asked again before each act that only a holder may do (S2): the address is added, `read_only=0`. Any thread.
@FunctionalInterface
public interface LeaseCheck {

    /// Whether the lease under which the act happens is live at this very moment.
    boolean live();
}
