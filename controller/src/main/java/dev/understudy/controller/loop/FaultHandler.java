package dev.understudy.controller.loop;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Where errors of programming, and a journal that cannot be written, end: the process stops at once and decides
/// nothing more. The leases then lapse safely, and whoever supervises the process starts it again. Any thread.
public interface FaultHandler {

    /// Does not return in a running controller.
    void fault(String where, Throwable cause);

    /// Logs and halts, without shutdown hooks: those would take part in decisions that can no longer be trusted.
    static FaultHandler halting() {
        Logger log = LoggerFactory.getLogger(FaultHandler.class);
        return (where, cause) -> {
            log.error("fault={} the process stops", where, cause);
            Runtime.getRuntime().halt(1);
        };
    }
}
