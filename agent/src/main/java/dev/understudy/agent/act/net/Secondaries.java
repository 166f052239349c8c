package dev.understudy.agent.act.net;

import dev.understudy.agent.sys.NetworkNamespace;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// An IPv4 address that is the first of its prefix on an interface takes the others of that prefix with it when it
/// is removed or its lifetime ends, unless `promote_secondaries` is set (Linux, networking/ip-sysctl).
final class Secondaries {

    private Secondaries() {}

    /// Makes the removal of any address leave the others alone.
    ///
    /// @return whether that is certain now
    static boolean keep(NetworkNamespace namespace, String networkInterface) {
        Path setting = Path.of("/proc/sys/net/ipv4/conf", networkInterface, "promote_secondaries");
        // opened in the namespace: the kernel shows the settings of the opening thread's one
        return namespace.open(() -> {
                    try {
                        if (!Files.readString(setting).strip().equals("1")) {
                            Files.writeString(setting, "1");
                        }
                        return 0;
                    } catch (IOException e) {
                        return -1;
                    }
                })
                == 0;
    }
}
