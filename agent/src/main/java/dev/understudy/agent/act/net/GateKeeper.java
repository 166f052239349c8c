package dev.understudy.agent.act.net;

import dev.understudy.protocol.Moment;
import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Keeps the gate in place: knows whether it was proven and whether it stands, and puts it up again when somebody
/// has taken it away (`nft flush ruleset`, S11). Not thread-safe; [KernelAddressControl] calls it under its lock.
final class GateKeeper implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(GateKeeper.class);

    private final KernelGate gate;
    private final KernelGate.Proof proof;
    private Collection<GateTarget> targets = List.of();
    private boolean wanted;
    private String failure = "";

    enum Extension {
        EXTENDED,
        LAPSED,
        /// The old elements are live and end at their time; the next renewal tries again.
        UNKNOWN
    }

    GateKeeper(KernelGate gate) {
        this.gate = gate;
        proof = gate.prove();
        if (!proof.proven()) {
            LOG.warn("event=gate-not-proven reason=\"{}\"", proof.detail());
        }
    }

    /// Whether this kernel was shown to end elements; what it said otherwise is [#detail].
    boolean proven() {
        return proof.proven();
    }

    /// Whether this kernel can drain (S13); why not is [#drainDetail].
    boolean drains() {
        return proof.proven() && gate.drainDetail().isEmpty();
    }

    String drainDetail() {
        return proof.proven() ? gate.drainDetail() : proof.detail();
    }

    /// Whether the gate is in force as far as is known.
    boolean stands() {
        return proof.proven() && failure.isEmpty();
    }

    String detail() {
        return failure.isEmpty() ? proof.detail() : failure;
    }

    void guard(Collection<GateTarget> exactly) {
        targets = List.copyOf(exactly);
        wanted = true;
        if (!proof.proven()) {
            return;
        }
        try {
            gate.guard(targets);
            failure = "";
        } catch (IOException e) {
            failed(e);
        }
    }

    /// Looks whether the gate is whole and puts it up again if not.
    ///
    /// @param leases those that are live
    /// @return whether it had to be put up
    boolean check(Supplier<List<KernelGate.Live>> leases) {
        if (!wanted || !proof.proven()) {
            return false;
        }
        try {
            if (gate.whole()) {
                failure = "";
                return false;
            }
            List<KernelGate.Live> live = leases.get();
            gate.reinstall(targets, live);
            LOG.warn("event=gate-reinstalled leases={} before=\"{}\"", live.size(), before());
            failure = "";
            return true;
        } catch (IOException e) {
            failed(e);
            return false;
        }
    }

    private String before() {
        return failure.isEmpty() ? "taken away or changed by somebody" : failure;
    }

    private void failed(IOException e) {
        String now = "the gate cannot be built: " + e.getMessage();
        if (!now.equals(failure)) {
            LOG.error("event=gate-failed reason=\"{}\"", now);
        }
        failure = now;
    }

    /// Opens or extends: an element of this epoch that is there is extended, any other is replaced.
    ///
    /// @return false: the deadline is over, nothing was opened
    boolean open(Collection<GateTarget> at, String comment, Moment deadline, boolean repeated) throws IOException {
        if (repeated && gate.extend(at, comment, deadline)) {
            return true;
        }
        return gate.open(at, comment, deadline);
    }

    Extension extend(Collection<GateTarget> at, String comment, Moment deadline) {
        IOException last = null;
        for (int attempt = 0; attempt < 2; attempt++) { // the second one with a fresh nft
            try {
                return gate.extend(at, comment, deadline) ? Extension.EXTENDED : Extension.LAPSED;
            } catch (IOException e) {
                last = e;
            }
        }
        LOG.warn("event=lease-not-extended comment=\"{}\" reason=\"{}\"", comment, String.valueOf(last));
        return Extension.UNKNOWN;
    }

    KernelGate gate() {
        return gate;
    }

    @Override
    public void close() {
        gate.close();
    }
}
