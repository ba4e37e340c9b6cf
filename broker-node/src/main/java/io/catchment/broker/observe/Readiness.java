package io.catchment.broker.observe;

import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/**
 * Whether a node should get traffic: a set of named conditions, all of which must hold. Thread-safe; each condition is set by
 * the component it is about, or asked for when someone looks.
 */
public final class Readiness {
    private final ConcurrentHashMap<String, Supplier<String>> conditions = new ConcurrentHashMap<>();

    /** A condition of this name, unmet until it is set; {@code reason} says why. */
    public Condition condition(String name, String reason) {
        Condition condition = new Condition(reason);
        add(name, condition);
        return condition;
    }

    /** A condition that is looked up each time: {@code reason} gives what is wrong, empty if nothing is. Must be quick. */
    public void condition(String name, Supplier<String> reason) {
        add(name, reason);
    }

    private void add(String name, Supplier<String> reason) {
        if (conditions.putIfAbsent(name, reason) != null) {
            throw new IllegalArgumentException("there is already a readiness condition " + name);
        }
    }

    public boolean isReady() {
        return unmet().isEmpty();
    }

    /** Name and reason of what does not hold, by name. */
    public Map<String, String> unmet() {
        Map<String, String> result = all();
        result.values().removeIf(String::isEmpty);
        return result;
    }

    /** Every condition with what is wrong, empty if nothing is, by name. */
    public Map<String, String> all() {
        Map<String, String> result = new TreeMap<>();
        conditions.forEach((name, reason) -> result.put(name, ask(reason)));
        return result;
    }

    private static String ask(Supplier<String> reason) {
        try {
            return reason.get();
        } catch (RuntimeException e) {
            return "cannot tell: " + e;
        }
    }

    /** One condition that its component sets. Thread-safe. */
    public static final class Condition implements Supplier<String> {
        private volatile String reason;

        private Condition(String reason) {
            if (reason.isEmpty()) {
                throw new IllegalArgumentException("an unmet condition needs a reason");
            }
            this.reason = reason;
        }

        public void met() {
            reason = "";
        }

        public void unmet(String why) {
            reason = why.isEmpty() ? "unknown" : why;
        }

        @Override
        public String get() {
            return reason;
        }
    }
}
