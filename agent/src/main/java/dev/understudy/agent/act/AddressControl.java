package dev.understudy.agent.act;

import dev.understudy.protocol.ClusterSpec.VirtualAddress;
import dev.understudy.protocol.Command.Giver;
import dev.understudy.protocol.Moment;
import dev.understudy.protocol.Outcome;
import dev.understudy.protocol.ResourceId;
import dev.understudy.protocol.TimingProfile;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The kernel's half of holding resources: nftables gate, interface addresses, announcements. Thread-safe; calls may
/// block for tens of milliseconds, never longer than two seconds.
public interface AddressControl extends AutoCloseable {

    /// What the kernel guards for one resource.
    ///
    /// @param address the virtual address, or the primary's writer address; null if none goes with the resource
    /// @param port the database server's port; null for a virtual address of balancers
    /// @param drains whether the address may be drained in a planned move (S13)
    record Guard(@Nullable VirtualAddress address, @Nullable ServerPort port, boolean drains) {
        /// Without draining.
        public Guard(@Nullable VirtualAddress address, @Nullable ServerPort port) {
            this(address, port, false);
        }

        public static Guard of(VirtualAddress address) {
            return new Guard(address, null);
        }
    }

    /// The port of the database server on this host, whichever address it is reached at.
    ///
    /// @param peers addresses of the group's other members, which are let through always
    record ServerPort(int number, List<String> peers) {
        public ServerPort {
            peers = List.copyOf(peers);
        }
    }

    /// Guards exactly these on this host: packets to and from them, and ARP/ND replies for addresses, are dropped
    /// (at a port: reset) unless a live lease element says otherwise (S10, S11). What is no longer named loses its
    /// gate.
    ///
    /// @param timing the profile by which [#enforcement] is judged from now on
    void guard(Map<ResourceId, Guard> guards, TimingProfile timing);

    /// Whether the kernel ends leases of this profile for such a resource in time (S12); otherwise why not, and then
    /// [#open] and [#take] refuse `not-enforced`. The gate need not be built for the question.
    Enforcement enforcement(Guard guard, TimingProfile timing);

    /// @param detail why not, or what is less than usual; empty if there is nothing to say
    record Enforcement(boolean enforced, String detail) {}

    /// Adds the elements for this epoch with what is left until the deadline, and ends what [#letRead] allowed. The
    /// address stays away. Asks `lease` first.
    Outcome open(ResourceId resource, long epoch, Moment deadline, LeaseCheck lease);

    /// What [#open] does, then adds the address if one goes with the resource, then announces it. Asks `lease`
    /// before each of these. A drain of it here ends first, and whatever was forwarded for it.
    ///
    /// @param giver who drains the address: packets of flows that are unknown here go there, for as long as it
    /// drains; null: they get a reset
    /// @return Done with the fact [dev.understudy.protocol.Command.Release#NO_DRAIN] when it could not be done for
    /// the giver
    Outcome take(ResourceId resource, long epoch, Moment deadline, LeaseCheck lease, @Nullable Giver giver);

    /// A take without a giver.
    default Outcome take(ResourceId resource, long epoch, Moment deadline, LeaseCheck lease) {
        return take(resource, epoch, deadline, lease, null);
    }

    /// Extends the kernel's elements to the deadline (bare delete and add in one transaction: an expired element
    /// stays expired, S10) and the lifetime of an address that was taken. False: it was over already; the caller
    /// fences.
    boolean renew(ResourceId resource, long epoch, Moment deadline);

    /// Closes the gate, to reads too, and removes the address. Done also when there was nothing to remove.
    ///
    /// @param drain how long connections that are established may go on here (S13): then the address stays, closed
    /// to everything else, until the kernel ends it. Only what is held now is drained. Zero: not at all
    /// @return Done with the facts of [Giver] when it drains, otherwise, if it was asked for, with the reason as
    /// [dev.understudy.protocol.Command.Release#NO_DRAIN]
    Outcome release(ResourceId resource, Duration drain);

    /// Without draining; ends a drain.
    default Outcome release(ResourceId resource) {
        return release(resource, Duration.ZERO);
    }

    /// What is left of a drain of the resource here, empty if there is none.
    Optional<Duration> draining(ResourceId resource);

    /// What the kernel drains, or forwards to whoever drains it, a line each, for people.
    List<String> drains();

    /// The address that is there for this resource now is not a leftover: the next [#guard] leaves it in its place,
    /// to be adopted by a [#take].
    void keep(ResourceId resource);

    /// Leaves the resource as it is for good: an address that is there becomes permanent, and the gate of the
    /// resource is removed. Nothing of it is renewed any more. Done also when there was nothing.
    ///
    /// @param address the address that goes with it, null for none
    Outcome detach(ResourceId resource, @Nullable VirtualAddress address);

    /// Whether everybody may reach the database's port without a lease: for a server that is read-only and follows
    /// another one. It stands until it is taken back, by this, [#open] or [#release], or the gate is built anew;
    /// also when the agent dies. Nothing happens without a guarded port.
    ///
    /// @return Failed when it is not known; the next call tries again
    Outcome letRead(ResourceId resource, boolean allowed);

    /// What is left of the live elements whose comment carries this resource and epoch, for an agent that was
    /// restarted (S9); empty if there is none.
    Optional<Duration> remaining(ResourceId resource, long epoch);

    /// Whether the address is configured on its interface now; false if none goes with the resource.
    boolean present(ResourceId resource);

    /// Announces the address again (a rival has gone, a link came back). Nothing happens without a live element.
    void announce(ResourceId resource);

    @Override
    void close();
}
