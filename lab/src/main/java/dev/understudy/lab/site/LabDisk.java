package dev.understudy.lab.site;

import java.nio.file.Path;

/// A disk of its own under a database's data: ext4 on a loop device over memory, so that it is fast. Unlike the memory
/// that lab databases usually live on it can stall and break as real ones do. It goes with its host.
public final class LabDisk {

    private static final String MEMORY = "/tmp/memory";
    private static final String IMAGE = MEMORY + "/disk.img";
    private static final String STAGING = "/tmp/disk";
    private static final String DATA = "/var/lib/mysql";
    private static final int MEGABYTES = 256;

    private final LabHost host;

    private LabDisk(LabHost host) {
        this.host = host;
    }

    /// Stops the host's server, moves its data to a new disk and starts it again; nothing of that where it has one.
    public static LabDisk under(LabHost host) {
        LabDisk disk = new LabDisk(host);
        if (!disk.device().startsWith("/dev/loop")) {
            host.stop(LabService.MARIADB);
            host.run("mkdir", "-p", MEMORY).orThrow();
            host.run("mount", "-t", "tmpfs", "-o", "size=" + 2 * MEGABYTES + "M", "tmpfs", MEMORY)
                    .orThrow();
            host.run("truncate", "-s", MEGABYTES + "M", IMAGE).orThrow();
            host.run("mkfs.ext4", "-q", IMAGE).orThrow();
            host.run("mkdir", "-p", STAGING).orThrow();
            host.run("mount", "-o", "loop,errors=remount-ro", IMAGE, STAGING).orThrow();
            host.run("cp", "-a", DATA + "/.", STAGING).orThrow();
            host.run("chown", "mysql:mysql", STAGING).orThrow();
            host.run("mount", "--move", STAGING, DATA).orThrow();
        }
        host.start(LabService.MARIADB);
        return disk;
    }

    /// Writes do not return from now on. To be undone before the site ends.
    public void stall() {
        host.run("fsfreeze", "--freeze", DATA).orThrow();
    }

    /// Does nothing when it is not stalled.
    public void goOn() {
        host.run("fsfreeze", "--unfreeze", DATA);
    }

    /// The kernel finds an error and refuses every write from now on (ext4's `errors=remount-ro`). There is no way back
    /// without a check of the file system.
    public void fail() {
        String trigger = "/sys/fs/ext4/" + Path.of(device()).getFileName() + "/trigger_fs_error";
        host.run("sh", "-c", "echo 'the lab breaks it' >" + trigger).orThrow();
    }

    private String device() {
        return host.run("findmnt", "--noheadings", "--output", "SOURCE", "--mountpoint", DATA)
                .output()
                .lines()
                .reduce("", (_, last) -> last)
                .strip();
    }
}
