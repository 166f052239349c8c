package dev.understudy.lab.story;

import dev.understudy.lab.site.Topology;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;

/// Something more at the end of cluster.yml for as long as this is open: in force, and in the file that the controller
/// reads whenever it is started.
final class Amended implements AutoCloseable {

    /// `backup:` of the database group, which is the last one of the lab's file.
    static final String BACKUP = "    backup: {glob: /var/lib/shop-backup/*.xb, max_age: 26h}\n";

    private final Story story;
    private final String before;

    private Amended(Story story, String before) {
        this.story = story;
        this.before = before;
    }

    static Amended by(Story story, String more) {
        Amended amended = new Amended(story, story.api().spec());
        amended.use(amended.before + more);
        return amended;
    }

    /// The only backup, on a member, is so old; the agents look every ten seconds.
    static void backupIs(Story story, String age) {
        story.host(Topology.DB3.name())
                .run(
                        "sh",
                        "-ec",
                        "mkdir -p /var/lib/shop-backup; cd /var/lib/shop-backup; echo rows > full.xb; touch -d '" + age
                                + "' full.xb")
                .orThrow();
    }

    private void use(String spec) {
        try {
            Files.writeString(story.host(Topology.CTL1.name()).path("/etc/understudy/cluster.yml"), spec);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        story.api().apply(spec);
    }

    @Override
    public void close() {
        use(before);
    }
}
