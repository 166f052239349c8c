package dev.understudy.agent.config;

/// A configuration file that cannot be used. Its message is one line: file, line, what is wrong, what was expected.
public final class ConfigException extends Exception {

    private static final long serialVersionUID = 1L;

    public ConfigException(String message) {
        super(message);
    }
}
