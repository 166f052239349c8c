package dev.understudy.core.simulator;

/// At most one database can acknowledge a write of a client on the network: it runs, is writable, and its port's
/// gate is open.
final class OneAcknowledgingPrimary implements Invariant {

    @Override
    public void after(Site site) {
        SimHost primary = null;
        for (SimHost host : site.hosts()) {
            if (host.database != null && host.database.canAcknowledge()) {
                if (primary != null) {
                    throw new Violation(
                            OneAcknowledgingPrimary.class,
                            primary.name + " and " + host.name + " can acknowledge writes");
                }
                primary = host;
            }
        }
    }
}
