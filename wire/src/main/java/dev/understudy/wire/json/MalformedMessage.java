package dev.understudy.wire.json;

/// Text that is no message of the expected kind. Its message is one line that says what is wrong and where.
public final class MalformedMessage extends Exception {

    private static final long serialVersionUID = 1L;

    public MalformedMessage(String reason) {
        super(reason.lines().findFirst().orElse("empty reason"));
    }
}
