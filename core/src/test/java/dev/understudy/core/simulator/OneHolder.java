package dev.understudy.core.simulator;

import dev.understudy.protocol.ResourceId;

/// At most one host is reachable as holder of a resource: at most one kernel has a live element for it. Where the
/// specification says `when_isolated: keep`, the address is excused for as long as the test says.
final class OneHolder implements Invariant {

    @Override
    public void after(Site site) {
        for (ResourceId resource : Site.RESOURCES) {
            SimHost holder = null;
            for (SimHost host : site.hosts()) {
                if (host.kernel.live(resource)) {
                    if (holder != null && !site.excusesDuplicate(resource)) {
                        throw new Violation(
                                OneHolder.class,
                                "%s is held by %s (epoch %d) and %s (epoch %d)"
                                        .formatted(
                                                resource,
                                                holder.name,
                                                epoch(holder, resource),
                                                host.name,
                                                epoch(host, resource)));
                    }
                    holder = host;
                }
            }
        }
    }

    private static long epoch(SimHost host, ResourceId resource) {
        Kernel.Element element = host.kernel.element(resource);
        return element == null ? 0 : element.epoch();
    }
}
