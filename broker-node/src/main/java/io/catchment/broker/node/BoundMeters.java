package io.catchment.broker.node;

import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.util.HashSet;
import java.util.Set;

/** Meters of a part that lives for one epoch: they leave the registry with it, so that the next epoch's can take their names. */
final class BoundMeters implements AutoCloseable {
    private final MeterRegistry registry;
    private final Set<Meter> meters;

    private BoundMeters(MeterRegistry registry, Set<Meter> meters) {
        this.registry = registry;
        this.meters = meters;
    }

    static BoundMeters bind(MeterBinder binder, MeterRegistry registry) {
        Set<Meter> before = new HashSet<>(registry.getMeters());
        binder.bindTo(registry);
        Set<Meter> added = new HashSet<>(registry.getMeters());
        added.removeAll(before);
        return new BoundMeters(registry, added);
    }

    @Override
    public void close() {
        meters.forEach(registry::remove);
    }
}
