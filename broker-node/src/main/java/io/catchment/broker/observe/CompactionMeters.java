package io.catchment.broker.observe;

import io.catchment.broker.compaction.CompactionMetrics;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;

/** What key compaction reads, writes and removes. Thread-safe. */
public final class CompactionMeters implements CompactionMetrics {
    private final Counter passes;
    private final Counter readBytes;
    private final Counter writtenBytes;
    private final Counter ranges;
    private final Counter records;
    private final Counter failures;
    private volatile double dirtiest;

    public CompactionMeters(MeterRegistry registry) {
        passes = counter(registry, "passes", "Compactions of a partition that came to their end");
        readBytes = Counter.builder("catchment.compaction.read")
                .description("Bytes of published ranges that were read to compact them")
                .baseUnit("bytes")
                .register(registry);
        writtenBytes = Counter.builder("catchment.compaction.written")
                .description("Bytes of objects with compacted ranges")
                .baseUnit("bytes")
                .register(registry);
        ranges = counter(registry, "ranges", "Ranges that compacted ones replaced");
        records = counter(registry, "removed.records", "Records that compaction took away");
        failures = counter(registry, "failures", "Compactions that failed and will be tried again");
        Gauge.builder("catchment.compaction.max.dirty.ratio", () -> dirtiest)
                .description("The dirty part of the dirtiest partition that waits for its compaction, 0 to 1")
                .register(registry);
    }

    private static Counter counter(MeterRegistry registry, String name, String what) {
        return Counter.builder("catchment.compaction." + name).description(what).register(registry);
    }

    @Override
    public void dirtiest(double ratio) {
        dirtiest = ratio;
    }

    @Override
    public void read(long bytes) {
        readBytes.increment((double) bytes);
    }

    @Override
    public void written(int replaced, long bytes, long removed) {
        ranges.increment(replaced);
        writtenBytes.increment((double) bytes);
        records.increment((double) removed);
    }

    @Override
    public void passed() {
        passes.increment();
    }

    @Override
    public void failed() {
        failures.increment();
    }
}
