package io.catchment.broker.observe;

import io.catchment.broker.merge.MergeMetrics;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;

/** What merging has written again. Thread-safe. */
public final class MergeMeters implements MergeMetrics {
    private final Counter objects;
    private final Counter ranges;
    private final Counter bytes;
    private final Counter failures;

    public MergeMeters(MeterRegistry registry) {
        objects = Counter.builder("catchment.merge.objects")
                .description("Objects that took the place of parts of others")
                .register(registry);
        ranges = Counter.builder("catchment.merge.ranges")
                .description("Ranges that merged ones replaced")
                .register(registry);
        bytes = Counter.builder("catchment.merge.written")
                .description("Bytes of merged objects: what was written to the store again")
                .baseUnit("bytes")
                .register(registry);
        failures = Counter.builder("catchment.merge.failures")
                .description("Merges that failed and will be tried again")
                .register(registry);
    }

    @Override
    public void merged(int streams, int replaced, long objectBytes) {
        objects.increment();
        ranges.increment(replaced);
        bytes.increment((double) objectBytes);
    }

    @Override
    public void failed() {
        failures.increment();
    }
}
