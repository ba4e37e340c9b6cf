package io.catchment.wal.simulation;

import io.catchment.wal.ExtentDescriptor;
import io.catchment.wal.ExtentRegistry;
import io.catchment.wal.Lane;
import io.catchment.wal.StoreRef;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

/**
 * The control plane: its state survives everything. Commands take time; some are lost on the way there, some on the way
 * back (applied, and the caller hears of a failure). A command of an earlier node epoch is refused whenever it arrives.
 */
final class SimRegistry {
    enum State {
        OPEN,
        RECOVERING,
        SEALED,
        PUBLISHED
    }

    static final class Extent {
        final ExtentDescriptor descriptor;
        State state = State.OPEN;
        long length = -1;

        Extent(ExtentDescriptor descriptor) {
            this.descriptor = descriptor;
        }
    }

    private final int nodeId;
    private final SimScheduler scheduler;
    private final SplittableRandom random;
    final Map<Long, Extent> extents = new TreeMap<>();
    private long nextExtent = 1;
    private long epoch;
    private boolean unreachable;
    private boolean answersSealsEarly;

    SimRegistry(int nodeId, SimScheduler scheduler, SplittableRandom random) {
        this.nodeId = nodeId;
        this.scheduler = scheduler;
        this.random = random;
    }

    void unreachable(boolean now) {
        unreachable = now;
    }

    /** The mutation "appended again before the seal": the lane goes on before its seal is recorded. */
    void answerSealsEarly() {
        answersSealsEarly = true;
    }

    /** A new run of the node begins: what it could still send before is over. */
    Client register(List<StoreRef> ensemble, int ackQuorum) {
        return new Client(++epoch, ensemble, ackQuorum);
    }

    List<ExtentDescriptor> open() {
        List<ExtentDescriptor> open = new ArrayList<>();
        extents.values().forEach(extent -> {
            if (extent.state == State.OPEN || extent.state == State.RECOVERING) {
                open.add(extent.descriptor);
            }
        });
        return open;
    }

    OptionalLong sealedLength(long extentId) {
        Extent extent = extents.get(extentId);
        return extent == null || extent.length < 0 ? OptionalLong.empty() : OptionalLong.of(extent.length);
    }

    void publish(long extentId) {
        Extent extent = extents.get(extentId);
        if (extent == null || extent.state != State.SEALED) {
            throw new AssertionError("published extent " + extentId + " that is not sealed");
        }
        extent.state = State.PUBLISHED;
    }

    /** One epoch of the node, as its WAL sees the control plane. */
    final class Client implements ExtentRegistry {
        private final long clientEpoch;
        private final List<StoreRef> ensemble;
        private final int ackQuorum;

        Client(long clientEpoch, List<StoreRef> ensemble, int ackQuorum) {
            this.clientEpoch = clientEpoch;
            this.ensemble = ensemble;
            this.ackQuorum = ackQuorum;
        }

        @Override
        public CompletionStage<ExtentDescriptor> create(Lane lane) {
            return command(() -> {
                Extent extent =
                        new Extent(new ExtentDescriptor(nextExtent++, nodeId, clientEpoch, lane, ensemble, ackQuorum));
                extents.put(extent.descriptor.extentId(), extent);
                return extent.descriptor;
            });
        }

        @Override
        public CompletionStage<Void> seal(long extentId, long length, List<StoreRef> holders) {
            boolean byLane = find(extentId).state == State.OPEN;
            CompletionStage<Void> sealed = command(answersSealsEarly && byLane ? 2_000 : 5, () -> {
                Extent extent = find(extentId);
                if (extent.length >= 0 && extent.length != length) {
                    throw new AssertionError("W2: extent " + extentId + " has final length " + extent.length
                            + " and is now sealed at " + length);
                }
                if (extent.length < 0) {
                    extent.length = length;
                    extent.state = State.SEALED;
                }
                return done();
            });
            return answersSealsEarly && byLane ? CompletableFuture.completedStage(done()) : sealed;
        }

        @SuppressWarnings("NullAway")
        private Void done() {
            return null;
        }

        @Override
        public CompletionStage<Long> startRecovery(long extentId) {
            return command(() -> {
                Extent extent = find(extentId);
                if (extent.state == State.OPEN) {
                    extent.state = State.RECOVERING;
                }
                return clientEpoch;
            });
        }

        private Extent find(long extentId) {
            Extent extent = extents.get(extentId);
            if (extent == null) {
                throw new AssertionError("no extent " + extentId + " was ever created");
            }
            return extent;
        }

        private <T> CompletionStage<T> command(Supplier<T> apply) {
            return command(5, apply);
        }

        private <T> CompletionStage<T> command(double usualMs, Supplier<T> apply) {
            CompletableFuture<T> answer = new CompletableFuture<>();
            int fate = random.nextInt(20);
            double thereMs = random.nextDouble() * (random.nextInt(10) == 0 ? 300 : usualMs);
            scheduler.afterMs(thereMs, () -> {
                if (unreachable || fate == 0) {
                    answerLater(() -> answer.completeExceptionally(new IllegalStateException("no answer (simulated)")));
                } else if (clientEpoch != epoch) {
                    answerLater(() -> answer.completeExceptionally(new ExtentRegistry.FencedException(
                            "node epoch " + clientEpoch + " is over, it is " + epoch)));
                } else {
                    T value = apply.get();
                    answerLater(() -> {
                        if (fate == 1) {
                            answer.completeExceptionally(new IllegalStateException("answer lost (simulated)"));
                        } else {
                            answer.complete(value);
                        }
                    });
                }
            });
            return answer;
        }

        private void answerLater(Runnable answer) {
            scheduler.afterMs(random.nextDouble() * 3, answer);
        }
    }
}
