package io.catchment.chaos.history;

import java.util.ArrayList;
import java.util.List;

/** Collects violations: all are counted, the first hundred kept. Guarded by its own lock. */
public final class Verdict {
    private static final int KEPT = 100;
    private final List<Violation> violations = new ArrayList<>();
    private long count;

    public synchronized void violation(Violation.Kind kind, String what) {
        count++;
        if (violations.size() < KEPT) {
            violations.add(new Violation(kind, what));
        }
    }

    public synchronized long count() {
        return count;
    }

    public boolean clean() {
        return count() == 0;
    }

    public synchronized List<Violation> violations() {
        return List.copyOf(violations);
    }

    /** "clean", or the violations one a line. */
    public synchronized String describe() {
        if (count == 0) {
            return "clean";
        }
        var text = new StringBuilder(count + " violations:");
        for (Violation violation : violations) {
            text.append("\n  ").append(violation);
        }
        if (count > violations.size()) {
            text.append("\n  … and ").append(count - violations.size()).append(" more");
        }
        return text.toString();
    }
}
