package dev.understudy.protocol;

/// What at most one host of a group may hold: a virtual address (`edge/192.0.2.10`) or the primary role
/// (`shopdb/primary`). Its text form is `group/name`, in messages, pages and file names alike.
public record ResourceId(String group, String name) implements Comparable<ResourceId> {

    /// The name of the primary role; beside it a database group may have a reader address.
    public static final String PRIMARY = "primary";

    public ResourceId {
        if (group.isEmpty() || name.isEmpty() || group.indexOf('/') >= 0 || name.indexOf('/') >= 0) {
            throw new IllegalArgumentException("a resource is group/name, not " + group + "/" + name);
        }
    }

    public static ResourceId primary(String group) {
        return new ResourceId(group, PRIMARY);
    }

    /// Whether it is the primary role of a database group; otherwise it is an address.
    public boolean isPrimary() {
        return name.equals(PRIMARY);
    }

    /// @throws IllegalArgumentException if the text is not `group/name`
    public static ResourceId parse(String text) {
        int slash = text.indexOf('/');
        if (slash <= 0 || slash == text.length() - 1) {
            throw new IllegalArgumentException("a resource is written group/name, not '" + text + "'");
        }
        return new ResourceId(text.substring(0, slash), text.substring(slash + 1));
    }

    @Override
    public int compareTo(ResourceId other) {
        int byGroup = group.compareTo(other.group);
        return byGroup != 0 ? byGroup : name.compareTo(other.name);
    }

    @Override
    public String toString() {
        return group + "/" + name;
    }
}
