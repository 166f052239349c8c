package dev.understudy.lab.site;

import java.nio.file.Files;
import java.nio.file.Path;

/// The built source tree that the lab runs from.
public record Checkout(Path root) {

    /// The tree named by the system property `understudy.checkout`, otherwise the first folder from here upwards
    /// that has both a `lab` and a `protocol` folder.
    ///
    /// @throws IllegalStateException when there is none
    public static Checkout find() {
        String named = System.getProperty("understudy.checkout", "");
        if (!named.isEmpty()) {
            return new Checkout(Path.of(named).toAbsolutePath().normalize());
        }
        Path folder = Path.of("").toAbsolutePath();
        while (folder != null) {
            if (Files.isDirectory(folder.resolve("lab")) && Files.isDirectory(folder.resolve("protocol"))) {
                return new Checkout(folder);
            }
            folder = folder.getParent();
        }
        throw new IllegalStateException("not inside the source tree: set -Dunderstudy.checkout=FOLDER");
    }

    public String agent() {
        return root.resolve("agent/target/understudy-agent/bin/understudy-agent")
                .toString();
    }

    public String controller() {
        return root.resolve("controller/target/understudy-controller/bin/understudy-controller")
                .toString();
    }

    /// The command of the operators.
    public String cli() {
        return root.resolve("controller/target/understudy-controller/bin/understudy")
                .toString();
    }

    public String lab() {
        return root.resolve("lab/target/understudy-lab/bin/understudy-lab").toString();
    }

    /// Whether agent and controller are built.
    public boolean built() {
        return Files.isExecutable(Path.of(agent())) && Files.isExecutable(Path.of(controller()));
    }

    /// A folder for what may be kept between runs (removed by `mvn clean`).
    public Path cache() {
        return root.resolve("lab/target/cache");
    }

    /// Where a failing story leaves what it saw.
    public Path failures() {
        return root.resolve("lab-failures");
    }
}
