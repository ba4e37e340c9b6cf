package io.catchment.broker.verify;

import java.util.List;

/** How many there are of something, and the first few of them. */
public record Findings<T>(long total, List<T> first) {
    public Findings {
        first = List.copyOf(first);
        if (total < first.size()) {
            throw new IllegalArgumentException(first.size() + " shown of " + total);
        }
    }

    static <T> Findings<T> of(List<T> all, int shownMax) {
        return new Findings<>(all.size(), all.subList(0, Math.min(shownMax, all.size())));
    }
}
