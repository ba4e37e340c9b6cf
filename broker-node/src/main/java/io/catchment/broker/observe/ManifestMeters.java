package io.catchment.broker.observe;

import io.catchment.broker.manifest.ManifestMetrics;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;

/** What moved to manifests and out of them. Thread-safe. */
public final class ManifestMeters implements ManifestMetrics {
    private final Counter moved;
    private final Counter bytes;
    private final Counter released;
    private final Counter failures;

    public ManifestMeters(MeterRegistry registry) {
        moved = Counter.builder("catchment.manifest.moved")
                .description("Ranges that moved from catalogs to manifests")
                .register(registry);
        bytes = Counter.builder("catchment.manifest.written")
                .description("Bytes of manifests written")
                .baseUnit("bytes")
                .register(registry);
        released = Counter.builder("catchment.manifest.released")
                .description("Ranges of manifests that nobody needs any more, and whose objects are deleted")
                .register(registry);
        failures = Counter.builder("catchment.manifest.failures")
                .description("Moves and releases that failed and will be tried again")
                .register(registry);
    }

    @Override
    public void moved(int ranges, long manifestBytes) {
        moved.increment(ranges);
        bytes.increment((double) manifestBytes);
    }

    @Override
    public void released(int ranges) {
        released.increment(ranges);
    }

    @Override
    public void failed() {
        failures.increment();
    }
}
