package dev.understudy.controller.cli;

/// Ends the command with an exit code and one line (or some) on standard error.
final class CliFailure extends RuntimeException {

    private static final long serialVersionUID = 1L;

    static final int NOT_WELL = 1;
    static final int BAD_INPUT = 2;
    static final int NO_CONTROLLER = 3;

    private final int code;
    private final String lines;

    CliFailure(int code, String lines) {
        super(lines);
        this.code = code;
        this.lines = lines;
    }

    int code() {
        return code;
    }

    String lines() {
        return lines;
    }
}
