package io.catchment.chaos.storefault;

import java.util.Set;

/** A fault, what it befalls, and how often. */
public record FaultRule(Set<RequestKind> kinds, Fault fault, double probability) {
    public FaultRule {
        kinds = Set.copyOf(kinds);
        if (kinds.isEmpty() || !(probability > 0 && probability <= 1)) {
            throw new IllegalArgumentException("at least one kind of request, a probability above 0 and up to 1");
        }
    }

    /** Every request of these kinds. */
    public static FaultRule always(Fault fault, RequestKind... kinds) {
        return new FaultRule(Set.of(kinds), fault, 1);
    }

    /** Every request at all. */
    public static FaultRule always(Fault fault) {
        return always(fault, RequestKind.values());
    }
}
