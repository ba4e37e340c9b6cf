package io.catchment.broker.observe;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/**
 * Meters over a component's own figures, which are taken as one snapshot for all meters of a scrape. Thread-safe: the
 * snapshot is replaced under a lock when it is older than half a second.
 */
final class Snapshots<T> {
    private static final long FRESH_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

    private final MeterRegistry registry;
    private final Supplier<T> source;
    private @Nullable T latest;
    private long takenNanos;

    Snapshots(MeterRegistry registry, Supplier<T> source) {
        this.registry = registry;
        this.source = source;
    }

    synchronized T get() {
        long now = System.nanoTime();
        T snapshot = latest;
        if (snapshot == null || now - takenNanos > FRESH_NANOS) {
            snapshot = source.get();
            latest = snapshot;
            takenNanos = now;
        }
        return snapshot;
    }

    Snapshots<T> gauge(String name, String what, @Nullable String unit, ToDoubleFunction<T> value, String... tags) {
        Gauge.builder(name, this, s -> value.applyAsDouble(s.get()))
                .description(what)
                .baseUnit(unit)
                .tags(tags)
                .strongReference(true)
                .register(registry);
        return this;
    }

    Snapshots<T> counter(String name, String what, @Nullable String unit, ToDoubleFunction<T> value, String... tags) {
        // the registry holds the object of a function counter weakly: the function keeps it
        Snapshots<T> self = this;
        FunctionCounter.builder(name, registry, held -> value.applyAsDouble(self.get()))
                .description(what)
                .baseUnit(unit)
                .tags(tags)
                .register(registry);
        return this;
    }
}
