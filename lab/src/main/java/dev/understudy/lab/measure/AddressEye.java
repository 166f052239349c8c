package dev.understudy.lab.measure;

import dev.understudy.lab.kernel.NftReader;
import dev.understudy.lab.site.LabHost;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/// Looks at one address on one host from outside its namespaces, so that no cut and no frozen process hides it:
/// whether it is configured, and whether the kernel's gate lets it speak.
final class AddressEye implements AutoCloseable {

    /// The agent's gate: the set of addresses with a live lease.
    private static final String GATE = "list set inet understudy held";

    private final LabHost host;
    private final String address;
    private final Path routes;
    private final ExecutorService inside;
    private @Nullable NftReader nft;

    AddressEye(LabHost host, String address) {
        this.host = host;
        this.address = address;
        this.routes = Path.of("/proc/" + host.initPid() + "/net/fib_trie");
        this.inside = Executors.newSingleThreadExecutor(host.network().threads("gate-" + host.name()));
    }

    LabHost host() {
        return host;
    }

    /// Whether the address is configured on any interface now: the kernel's table of local routes lists it. Cheap.
    boolean present() {
        try {
            String table = Files.readString(routes, StandardCharsets.ISO_8859_1);
            int at = table.indexOf("|-- " + address + "\n");
            return at >= 0 && table.startsWith("/32 host LOCAL", table.indexOf('/', at));
        } catch (IOException gone) {
            return false;
        }
    }

    /// Whether packets of the address pass: there is no gate at all, or its set has the address. About a
    /// millisecond.
    boolean gateOpen() {
        try {
            return inside.submit(() -> {
                        if (nft == null) {
                            nft = new NftReader();
                        }
                        String set = nft.list(GATE);
                        return set.isEmpty() || set.contains(address + " ") || set.contains(address + ",");
                    })
                    .get(2, TimeUnit.SECONDS);
        } catch (ExecutionException | TimeoutException e) {
            throw new IllegalStateException("cannot look at the gate of " + host.name(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        inside.execute(() -> {
            if (nft != null) {
                nft.close();
            }
        });
        inside.shutdown();
    }
}
