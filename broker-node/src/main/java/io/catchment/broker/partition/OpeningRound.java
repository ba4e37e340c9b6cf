package io.catchment.broker.partition;

import io.catchment.broker.partition.StreamOpening.Found;
import io.catchment.controlplane.StreamState;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.apache.kafka.common.utils.Time;
import org.jspecify.annotations.Nullable;

/**
 * Owned by the thread that calls {@link #find}, the opener's. Learns the state of many streams: their reads are under way together, up
 * to a bound, on whatever threads serve them; what a read brings is taken in on the owner's thread, one at a time. Used once.
 */
final class OpeningRound {
    private static final long LOOK_MS = 100;

    private final StreamOpening opening;
    private final int underWayMax;
    private final long readTimeoutNanos;
    private final Time time;
    /** At most one for each stream under way, and one for each read that was given up. */
    private final LinkedBlockingQueue<Runnable> steps = new LinkedBlockingQueue<>();

    private final List<Flight> underWay = new ArrayList<>();
    /** Guarded by the queue's monitor: after the end nobody takes steps. */
    private boolean over;

    /** @param readTimeoutMs of one read; a stream may need several */
    OpeningRound(StreamOpening opening, int underWayMax, long readTimeoutMs, Time time) {
        this.opening = opening;
        this.underWayMax = underWayMax;
        this.readTimeoutNanos = TimeUnit.MILLISECONDS.toNanos(readTimeoutMs);
        this.time = time;
    }

    /** Blocks until each stream is found or has failed; one that is not this node's any more is neither. Throws {@link IllegalStateException} when interrupted. */
    List<Found> find(Collection<StreamState> streams, BiConsumer<StreamState, Throwable> failed) {
        List<Found> found = new ArrayList<>(streams.size());
        Iterator<StreamState> next = streams.iterator();
        try {
            while (next.hasNext() || !underWay.isEmpty()) {
                while (next.hasNext() && underWay.size() < underWayMax) {
                    begin(next.next(), found, failed);
                }
                if (!underWay.isEmpty()) {
                    takeStep();
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while opening streams", e);
        } finally {
            end();
        }
        return found;
    }

    private void begin(StreamState stream, List<Found> found, BiConsumer<StreamState, Throwable> failed) {
        Flight flight = new Flight();
        underWay.add(flight);
        var unused = flight.result.whenComplete((value, failure) -> {
            underWay.remove(flight);
            if (failure == null) {
                found.add(value);
            } else if (!(failure instanceof StreamGoneException)) {
                failed.accept(stream, failure);
            }
        });
        try {
            opening.find(stream.streamId(), flight, flight.result);
        } catch (RuntimeException | Error e) {
            // This one's failure, not that of all
            flight.result.completeExceptionally(e);
        }
    }

    private void takeStep() throws InterruptedException {
        Runnable step = steps.poll(LOOK_MS, TimeUnit.MILLISECONDS);
        if (step != null) {
            step.run();
            return;
        }
        for (Flight flight : List.copyOf(underWay)) {
            if (time.nanoseconds() - flight.readSinceNanos > readTimeoutNanos) {
                flight.result.completeExceptionally(new TimeoutException(
                        "a read took longer than " + TimeUnit.NANOSECONDS.toMillis(readTimeoutNanos) + " ms"));
            }
        }
    }

    private void end() {
        synchronized (steps) {
            over = true;
        }
        underWay.clear();
        // What is left are answers that came too late
        for (Runnable step = steps.poll(); step != null; step = steps.poll()) {
            step.run();
        }
    }

    /** False when nobody will run it. */
    private boolean later(Runnable step) {
        synchronized (steps) {
            return !over && steps.add(step);
        }
    }

    /** One stream's reads, one after the other. */
    private final class Flight implements StreamOpening.Reads {
        private final CompletableFuture<Found> result = new CompletableFuture<>();
        private long readSinceNanos = time.nanoseconds();

        @Override
        public <T> void take(Supplier<CompletionStage<T>> read, Consumer<T> release, Consumer<T> then) {
            readSinceNanos = time.nanoseconds();
            read.get().whenComplete((value, failure) -> {
                if (!later(() -> taken(value, failure, release, then)) && value != null) {
                    release.accept(value);
                }
            });
        }

        private <T> void taken(@Nullable T value, @Nullable Throwable failure, Consumer<T> release, Consumer<T> then) {
            if (value == null) {
                result.completeExceptionally(
                        failure == null ? new IllegalStateException("a read brought nothing") : failure);
                return;
            }
            try {
                if (underWay.contains(this)) {
                    then.accept(value);
                }
            } catch (RuntimeException | Error e) {
                result.completeExceptionally(e);
            } finally {
                release.accept(value);
            }
        }
    }
}
