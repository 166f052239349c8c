package dev.understudy.controller.config;

import dev.understudy.controller.mail.NoticeSettings;
import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.ClusterSpec.Group;
import dev.understudy.protocol.ClusterSpec.Host;
import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Compose;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.Tag;
import org.snakeyaml.engine.v2.schema.CoreSchema;

/// Reads `cluster.yml` (DESIGN section 13) into a [ClusterSpec], strictly: what this version does not know is
/// refused, with file, line and what was expected. All problems of a file are found in one reading.
public final class ClusterFile {

    /// At most this many problems are told of one file.
    public static final int MOST_PROBLEMS = 20;

    /// A larger file is refused: nobody writes one by hand.
    public static final int MOST_BYTES = 1 << 18;

    private static final List<String> TOP = List.of("cluster", "profile", "hosts", "groups");
    private static final String NAME = "[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?";

    /// What came of reading a file.
    public sealed interface Result {
        /// @param text the file's text, kept beside the specification in the journal
        /// @param notices what it says of telling people, which agents do not get
        record Good(ClusterSpec spec, NoticeSettings notices, String text) implements Result {}

        /// Never empty; in the order of the lines; at most [#MOST_PROBLEMS].
        record Bad(List<Problem> problems, int total) implements Result {
            public Bad {
                problems = List.copyOf(problems);
            }

            /// One line for each problem.
            public List<String> lines() {
                List<String> lines = new ArrayList<>();
                problems.forEach(p -> lines.add(p.describe()));
                if (total > problems.size()) {
                    lines.add("… and " + (total - problems.size()) + " more");
                }
                return lines;
            }
        }
    }

    private ClusterFile() {}

    /// Reads the file. Errors are named after the path as given.
    public static Result read(Path file) {
        String name = file.toString();
        try {
            if (Files.size(file) > MOST_BYTES) {
                return bad(new Problem(name, 0, "", "is larger than " + MOST_BYTES + " bytes"));
            }
            return parse(name, Files.readString(file));
        } catch (NoSuchFileException _) {
            return bad(new Problem(name, 0, "", "there is no such file"));
        } catch (MalformedInputException _) {
            return bad(new Problem(name, 0, "", "is not text in UTF-8"));
        } catch (IOException e) {
            return bad(new Problem(name, 0, "", "cannot be read: " + e.getMessage()));
        }
    }

    /// Reads the text of a file; `name` is what errors call it.
    public static Result parse(String name, String text) {
        Problems problems = new Problems(name);
        Optional<Node> root;
        try {
            LoadSettings settings = LoadSettings.builder()
                    .setLabel(name)
                    .setSchema(new CoreSchema())
                    .build();
            root = new Compose(settings).composeString(text);
        } catch (MarkedYamlEngineException e) {
            int line =
                    e.getProblemMark().or(e::getContextMark).map(Mark::getLine).orElse(-1) + 1;
            return bad(new Problem(name, line, "", "is not YAML: " + oneLine(e.getProblem())));
        } catch (YamlEngineException e) {
            return bad(new Problem(name, 0, "", "is not YAML: " + oneLine(String.valueOf(e.getMessage()))));
        }
        if (root.isEmpty() || root.get().getTag().equals(Tag.NULL)) {
            return bad(new Problem(name, 1, "", "the file is empty: expected cluster, hosts and groups"));
        }
        Section top = Section.of(problems, "", 1, root.get());
        ClusterSpec spec = readSpec(problems, top);
        List<String> groups = spec.groups().stream().map(Group::name).toList();
        NoticeSettings notices = new NoticeReader(problems, groups).read(top);
        return problems.none() ? new Result.Good(spec, notices, text) : bad(problems.inOrder());
    }

    private static ClusterSpec readSpec(Problems problems, Section top) {
        top.allow(Stream.concat(TOP.stream(), NoticeReader.TOP.stream()).toList());
        AddressReader addresses = new AddressReader();
        String cluster = top.required("cluster", "the cluster's name");
        if (!cluster.isEmpty() && !cluster.matches(NAME)) {
            top.problem("cluster", notAName(cluster));
        }
        String profile = top.word("profile", "standard", List.of("fast", "standard", "relaxed"));

        Section hostSection = top.section("hosts", "the hosts, such as lb1: {address: 10.0.0.11}");
        List<Host> hosts = new ArrayList<>();
        for (Section.Entry entry : hostSection.entries()) {
            if (!entry.key().matches(NAME)) {
                problems.at(entry.line(), "hosts", notAName(entry.key()));
            }
            Section host = Section.of(problems, "hosts." + entry.key(), entry.line(), entry.value());
            hosts.add(new Host(entry.key(), addresses.host(host.allow(List.of("address")), entry.key())));
        }

        Section groupSection = top.section("groups", "the groups, such as edge: {kind: balancer, members: [lb1, lb2]}");
        List<String> hostNames = hosts.stream().map(Host::name).toList();
        GroupReader reader = new GroupReader(problems, hostNames, addresses);
        Set<String> used = new HashSet<>();
        List<Group> groups = new ArrayList<>();
        for (Section.Entry entry : groupSection.entries()) {
            if (!entry.key().matches(NAME)) {
                problems.at(entry.line(), "groups", notAName(entry.key()));
            }
            Section group = Section.of(problems, "groups." + entry.key(), entry.line(), entry.value());
            reader.read(entry.key(), group, used).ifPresent(groups::add);
        }
        for (Section.Entry entry : hostSection.entries()) {
            if (!used.contains(entry.key())) {
                problems.at(entry.line(), "hosts." + entry.key(), "is in no group: add it to a group's members");
            }
        }
        return new ClusterSpec(cluster, profile, hosts, groups);
    }

    private static String notAName(String text) {
        return "'" + text + "' is not a name: letters, digits, '-', '_' and '.', at most 63";
    }

    private static String oneLine(String text) {
        return text.strip().replaceAll("\\s+", " ");
    }

    private static Result bad(Problem problem) {
        return new Result.Bad(List.of(problem), 1);
    }

    private static Result bad(List<Problem> problems) {
        return new Result.Bad(problems.subList(0, Math.min(problems.size(), MOST_PROBLEMS)), problems.size());
    }
}
