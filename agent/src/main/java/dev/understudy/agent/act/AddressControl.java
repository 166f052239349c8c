package dev.understudy.agent.act;

import dev.understudy.protocol.ClusterSpec.VirtualAddress;
import dev.understudy.protocol.Moment;
import dev.understudy.protocol.Outcome;
import dev.understudy.protocol.ResourceId;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/// The kernel's half of holding virtual addresses: interface address, nftables gate, announcements. Thread-safe;
/// calls may block for tens of milliseconds, never longer than two seconds.
public interface AddressControl extends AutoCloseable {

    /// Makes exactly these addresses guarded on this host: packets to and from them, and ARP/ND replies for them,
    /// are dropped unless a live lease element says otherwise (S10, S11). Addresses that are no longer named lose
    /// their gate.
    void guard(Map<ResourceId, VirtualAddress> addresses);

    /// Whether the kernel enforces leases here, proven at start in a scratch set; otherwise why not.
    Enforcement enforcement();

    record Enforcement(boolean enforced, String detail) {}

    /// Adds the element for this epoch with what is left until the deadline, then the address, then announces it.
    /// Asks
    /// `lease` before each of these.
    Outcome take(ResourceId resource, long epoch, Moment deadline, LeaseCheck lease);

    /// Extends the kernel's element to the deadline (bare delete and add in one transaction: an expired element
    /// stays expired, S10) and the address's lifetime. False: it was over already; the caller fences.
    boolean renew(ResourceId resource, long epoch, Moment deadline);

    /// Closes the gate, removes the address. Done also when there was nothing to remove.
    Outcome release(ResourceId resource);

    /// What is left of the live element whose comment carries this resource and epoch, for an agent that was
    /// restarted (S9); empty if there is none.
    Optional<Duration> remaining(ResourceId resource, long epoch);

    /// Whether the address is configured on its interface now.
    boolean present(ResourceId resource);

    /// Announces the address again (a rival has gone, a link came back). Nothing happens without a live element.
    void announce(ResourceId resource);

    @Override
    void close();
}
