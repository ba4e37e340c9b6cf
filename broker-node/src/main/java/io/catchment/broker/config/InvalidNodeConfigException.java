package io.catchment.broker.config;

import java.util.List;

/** A node's configuration has mistakes: all of them, each with the key, the value and what to do. */
public final class InvalidNodeConfigException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final transient List<String> problems;

    InvalidNodeConfigException(List<String> problems) {
        super(problems.size() + (problems.size() == 1 ? " mistake" : " mistakes") + " in the configuration:\n  "
                + String.join("\n  ", problems));
        this.problems = List.copyOf(problems);
    }

    public List<String> problems() {
        return problems;
    }
}
