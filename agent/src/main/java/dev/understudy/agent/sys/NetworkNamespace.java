package dev.understudy.agent.sys;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.function.IntSupplier;

/// Where commands run and sockets are opened: the process's own network namespace, which is what an agent uses, or
/// a named one (`ip netns`), which lets one process test several hosts. A socket stays in the namespace in which it
/// was opened, whichever thread uses it later.
public final class NetworkNamespace {

    private final String name;

    private NetworkNamespace(String name) {
        this.name = name;
    }

    public static NetworkNamespace own() {
        return new NetworkNamespace("");
    }

    /// @param name as in `ip netns list`
    public static NetworkNamespace named(String name) {
        return new NetworkNamespace(name);
    }

    /// The command line that runs `command` in this namespace.
    public List<String> command(List<String> command) {
        if (name.isEmpty()) {
            return List.copyOf(command);
        }
        List<String> all = new ArrayList<>(List.of("ip", "netns", "exec", name));
        all.addAll(command);
        return all;
    }

    /// Opens a descriptor in this namespace: negative is `-errno`, as in [LibC].
    public int open(IntSupplier opener) {
        if (name.isEmpty()) {
            return opener.getAsInt();
        }
        FutureTask<Integer> task = new FutureTask<>(() -> {
            LibC.enterNetworkNamespace("/run/netns/" + name);
            return opener.getAsInt();
        });
        Thread.ofPlatform().daemon().name("netns-" + name).start(task);
        try {
            return task.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        } catch (ExecutionException e) {
            throw new IllegalStateException("network namespace " + name + " cannot be entered", e.getCause());
        }
    }
}
