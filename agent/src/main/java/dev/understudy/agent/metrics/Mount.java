package dev.understudy.agent.metrics;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/// A mounted file system that can fill up (fstab(5), proc(5)).
///
/// @param readOnly by its mount options: an error of the disk shows there
record Mount(String device, String point, String type, boolean readOnly) {

    private static final Pattern NOT_A_DISK = Pattern.compile(
            "autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|fusectl|hugetlbfs|iso9660|mqueue|nsfs"
                    + "|overlay|proc|procfs|pstore|rpc_pipefs|securityfs|selinuxfs|squashfs|sysfs|tracefs");
    private static final Pattern NOT_LOOKED_AT = Pattern.compile(
            "/(dev|proc|run/credentials/.+|sys|var/lib/docker/.+|var/lib/containers/storage/.+)($|/.*)");

    /// Those of `/proc/PID/mounts` that are told, in its order. Of two at the same point the later hides the earlier.
    static List<Mount> parse(String text) throws IOException {
        Map<String, Mount> mounts = new LinkedHashMap<>();
        for (String line : text.split("\n", -1)) {
            Columns columns = Columns.of(line);
            if (columns.size() == 0) {
                continue;
            }
            String point = plain(columns.word(1));
            String type = columns.word(2);
            if (NOT_A_DISK.matcher(type).matches()
                    || NOT_LOOKED_AT.matcher(point).matches()) {
                continue;
            }
            boolean readOnly = List.of(columns.word(3).split(",", -1)).contains("ro");
            mounts.put(point, new Mount(plain(columns.word(0)), point, type, readOnly));
        }
        return List.copyOf(mounts.values());
    }

    /// The kernel writes blanks and backslashes as three octal digits.
    private static String plain(String escaped) {
        return escaped.replace("\\040", " ")
                .replace("\\011", "\t")
                .replace("\\012", "\n")
                .replace("\\134", "\\");
    }
}
