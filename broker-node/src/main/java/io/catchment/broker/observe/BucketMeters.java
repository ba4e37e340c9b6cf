package io.catchment.broker.observe;

import io.catchment.broker.bucket.BucketOwner;
import io.catchment.broker.snapshot.StateSnapshots;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.concurrent.TimeUnit;

/** Whose the bucket is, and how old the state in it. */
public final class BucketMeters {
    private BucketMeters() {}

    public static void register(MeterRegistry registry, BucketOwner owner, StateSnapshots snapshots) {
        Gauge.builder("catchment.bucket.generation", owner, BucketOwner::generation)
                .description(
                        "Generation of this cluster's ownership of the object store; 0 while it is not known, and when it is over")
                .register(registry);
        Gauge.builder(
                        "catchment.bucket.lost",
                        owner,
                        known -> known.otherOwner().isPresent() ? 1 : 0)
                .description("1 when another cluster has taken the object store over: nothing is flushed any more")
                .register(registry);
        FunctionCounter.builder("catchment.state.snapshots", snapshots, writer -> writer.figures()
                        .written())
                .description("Snapshots of the cluster's state that this node has written to the object store")
                .register(registry);
        FunctionCounter.builder("catchment.state.snapshot.failures", snapshots, writer -> writer.figures()
                        .failed())
                .description("Attempts to write one that failed")
                .register(registry);
        Gauge.builder("catchment.state.snapshot.bytes", snapshots, writer -> writer.figures()
                        .bytes())
                .description("Size of the newest one of this node")
                .baseUnit("bytes")
                .register(registry);
        Gauge.builder("catchment.state.snapshot.age", snapshots, BucketMeters::ageSeconds)
                .description("Age of the newest one of this node; only the active controller's node writes them")
                .baseUnit("seconds")
                .register(registry);
    }

    private static double ageSeconds(StateSnapshots snapshots) {
        StateSnapshots.Figures figures = snapshots.figures();
        return figures.written() == 0
                ? Double.NaN
                : (System.nanoTime() - figures.writtenNanos()) / (double) TimeUnit.SECONDS.toNanos(1);
    }
}
