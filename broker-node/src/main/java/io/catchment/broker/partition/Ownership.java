package io.catchment.broker.partition;

import io.catchment.broker.loop.Attempt;
import io.catchment.broker.loop.SerialLoop;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.CommandException;
import io.catchment.controlplane.ControlPlane;
import io.catchment.controlplane.ImageDelta;
import io.catchment.controlplane.StreamState;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which streams this node serves in one of its epochs: follows the image. Owned by the opener's thread; what must be read of a stream
 * before it can be served is read on the finder's, so that closing and handing over never wait for a disk or the object store.
 *
 * <ul>
 *   <li>A stream of this node that nobody has open in its epoch is <b>claimed</b>: its end is read, then OpenStreams raises its epoch. It
 *       waits while extents of its earlier writers are under recovery, since its end is not known before.
 *   <li>One that is open in this epoch already, but not here, was <b>handed over</b>: it is served from where the last owner left it.
 *   <li>One with a target is handed over by {@link Handovers}.
 *   <li>One that has another owner or another epoch, or is gone, is closed.
 * </ul>
 */
final class Ownership {
    private static final Logger log = LoggerFactory.getLogger(Ownership.class);
    private static final long RETRY_MS = 500;
    private static final long RETRY_MAX_MS = 15_000;
    private static final int LOUD_FAILURES_MAX = 5;
    /** One command each; below what the control plane takes in one. */
    private static final int OPEN_AT_A_TIME = 5_000;

    /** What is read of streams before they are served; blocks. */
    interface Finder {
        List<StreamOpening.Found> find(List<StreamState> streams, Failures failures);
    }

    /** Hears of streams that could not be read. */
    interface Failures {
        void failed(StreamState stream, Throwable failure);
    }

    /** Makes partitions of what was found, and findable. */
    interface Openings {
        Partition open(StreamOpening.Found found, StreamState now);

        /** Done when the partitions are on their loops. */
        CompletionStage<Void> settle(List<Partition> opened);

        void publish(List<Partition> opened);

        void close(Partition partition, Errors error);
    }

    private final int nodeId;
    private final long nodeEpoch;
    private final ControlPlane controlPlane;
    private final SerialLoop opener;
    private final SerialLoop finder;
    private final Finder find;
    private final Openings openings;
    private final Handovers handovers;

    private final Map<Long, Partition> open = new HashMap<>();
    /** Being found, claimed or put on their loops. */
    private final Set<Long> opening = new HashSet<>();
    /** Until extents of their writers are sealed. */
    private final Set<Long> waiting = new HashSet<>();

    private final Hindrances hindrances = new Hindrances(System::nanoTime);

    private long retryMs = RETRY_MS;
    private boolean lookingAtAll;
    private volatile int openCount;
    private volatile boolean over;

    Ownership(
            int nodeId,
            long nodeEpoch,
            ControlPlane controlPlane,
            SerialLoop opener,
            SerialLoop finder,
            Finder find,
            Openings openings) {
        this.nodeId = nodeId;
        this.nodeEpoch = nodeEpoch;
        this.controlPlane = controlPlane;
        this.opener = opener;
        this.finder = finder;
        this.find = find;
        this.openings = openings;
        this.handovers = new Handovers(controlPlane, opener, nodeId, nodeEpoch, this::lookAgain);
    }

    /** The stage is done when the first round of openings is. */
    CompletionStage<Void> start() {
        CompletableFuture<Void> done = new CompletableFuture<>();
        opener.execute(() -> Attempt.of(() -> reconcile(controlPlane.image().streams()))
                .whenComplete((all, failure) -> {
                    if (failure == null) {
                        done.complete(null);
                    } else {
                        done.completeExceptionally(failure);
                    }
                }));
        controlPlane.subscribe(this::changed);
        return done;
    }

    /** Nothing is said of what fails from here on: the reads under way are interrupted. */
    void end() {
        over = true;
    }

    /** Since when streams of this node are on their way to be served. */
    Hindrances hindrances() {
        return hindrances;
    }

    int openCount() {
        return openCount;
    }

    private void changed(ImageDelta delta, ClusterImage image) {
        if (delta.streams().isEmpty() && delta.extents().isEmpty()) {
            return;
        }
        opener.execute(() -> {
            try {
                follow(delta);
            } catch (RuntimeException | Error e) {
                // No further news may come of these streams
                log.error("Not all changes of streams could be followed, all are looked at again: {}", e, e);
                lookAtAllLater();
            }
        });
    }

    private void follow(ImageDelta delta) {
        // The newest image, not the delta's: streams may have been opened by a newer one meanwhile, and must not be
        // closed for what was.
        ClusterImage newest = controlPlane.image();
        List<StreamState> present = new ArrayList<>();
        for (long streamId : delta.streams()) {
            newest.stream(streamId).ifPresentOrElse(present::add, () -> gone(streamId));
        }
        if (!present.isEmpty()) {
            reconcile(present);
        }
        if (!delta.extents().isEmpty() && !waiting.isEmpty()) {
            lookAgain(List.copyOf(waiting));
        }
    }

    private void lookAtAllLater() {
        if (!lookingAtAll) {
            lookingAtAll = true;
            opener.schedule(this::lookAtAll, RETRY_MAX_MS);
        }
    }

    private void lookAtAll() {
        lookingAtAll = false;
        try {
            ClusterImage image = controlPlane.image();
            for (long streamId : List.copyOf(open.keySet())) {
                if (image.stream(streamId).isEmpty()) {
                    gone(streamId);
                }
            }
            reconcile(image.streams());
        } catch (RuntimeException | Error e) {
            log.error("Not all streams could be looked at, which is tried again: {}", e, e);
            lookAtAllLater();
        }
    }

    private void gone(long streamId) {
        close(streamId, Errors.UNKNOWN_TOPIC_OR_PARTITION);
        hindrances.over(streamId);
    }

    private void lookAgain(List<Long> streams) {
        try {
            ClusterImage image = controlPlane.image();
            List<StreamState> present = new ArrayList<>();
            for (long streamId : streams) {
                image.stream(streamId).ifPresentOrElse(present::add, () -> waiting.remove(streamId));
            }
            reconcile(present);
        } catch (RuntimeException | Error e) {
            log.error("{} streams could not be looked at, all are looked at again: {}", streams.size(), e, e);
            lookAtAllLater();
        }
    }

    private CompletionStage<Void> reconcile(Collection<StreamState> streams) {
        List<StreamState> toOpen = new ArrayList<>();
        for (StreamState stream : streams) {
            long id = stream.streamId();
            if (stream.ownerNodeId() != nodeId) {
                close(id, Errors.NOT_LEADER_OR_FOLLOWER);
                waiting.remove(id);
                hindrances.over(id);
                continue;
            }
            Partition partition = open.get(id);
            if (partition != null && partition.leaderEpoch() < stream.epoch()) {
                // It went away and came back between two looks.
                close(id, Errors.NOT_LEADER_OR_FOLLOWER);
                partition = null;
            }
            if (partition == null) {
                hindrances.began(id);
                if (!opening.contains(id)) {
                    toOpen.add(stream);
                }
            } else {
                partition.begins(stream.logStartOffset(), PartitionView.epochStarts(stream));
                partition.compacted(stream.cleanedTo());
                if (stream.targetNodeId() >= 0 && stream.targetNodeId() != nodeId) {
                    handovers.begin(partition);
                } else {
                    handovers.cancel(partition);
                }
            }
        }
        return toOpen.isEmpty() ? CompletableFuture.completedFuture(null) : openAll(unhindered(toOpen));
    }

    /** Those whose end can be known; the others wait. */
    private List<StreamState> unhindered(List<StreamState> streams) {
        Set<StreamState.Writer> underRecovery = controlPlane.image().writersUnderRecovery();
        List<StreamState> ready = new ArrayList<>(streams.size());
        for (StreamState stream : streams) {
            if (!underRecovery.isEmpty()
                    && !isOpenInThisEpoch(stream)
                    && !Collections.disjoint(stream.writers(), underRecovery)) {
                waiting.add(stream.streamId());
            } else {
                waiting.remove(stream.streamId());
                ready.add(stream);
            }
        }
        return ready;
    }

    private boolean isOpenInThisEpoch(StreamState stream) {
        return stream.ownerNodeEpoch() == nodeEpoch;
    }

    private CompletionStage<Void> openAll(List<StreamState> streams) {
        List<CompletableFuture<Void>> rounds = new ArrayList<>();
        for (int from = 0; from < streams.size(); from += OPEN_AT_A_TIME) {
            List<StreamState> round = streams.subList(from, Math.min(from + OPEN_AT_A_TIME, streams.size()));
            round.forEach(stream -> opening.add(stream.streamId()));
            CompletableFuture<Void> done = new CompletableFuture<>();
            rounds.add(done);
            finder.execute(() -> findAndOpen(List.copyOf(round), System.nanoTime(), done));
        }
        return CompletableFuture.allOf(rounds.toArray(CompletableFuture<?>[]::new));
    }

    // ---- on the finder's thread

    private void findAndOpen(List<StreamState> streams, long startedNanos, CompletableFuture<Void> done) {
        List<Long> failed = new ArrayList<>();
        List<StreamOpening.Found> found;
        try {
            found = find.find(streams, (stream, failure) -> {
                failed.add(stream.streamId());
                unavailable(stream, failed.size(), failure);
            });
        } catch (RuntimeException | Error e) {
            opener.execute(() -> failed(streams, done, e));
            return;
        }
        if (failed.size() > LOUD_FAILURES_MAX) {
            log.warn("{} streams in all cannot be opened now and are unavailable", failed.size());
        }
        opener.execute(() -> attempt(streams, done, () -> take(streams, found, failed, startedNanos, done)));
    }

    private static void unavailable(StreamState stream, int number, Throwable failure) {
        if (number > LOUD_FAILURES_MAX) {
            return;
        }
        if (failure instanceof StreamNotReadableException) {
            log.info("Stream {} cannot be opened yet: {}", stream.streamId(), failure.getMessage());
        } else {
            log.error(
                    "Stream {} ({}-{}) cannot be opened and is unavailable: {}",
                    stream.streamId(),
                    stream.topic(),
                    stream.partition(),
                    failure.getMessage(),
                    failure);
        }
    }

    private static List<Long> ids(List<StreamState> streams) {
        return streams.stream().map(StreamState::streamId).toList();
    }

    // ---- on the opener's thread

    /** A step of opening these: if it throws they are tried again, else they would count as being opened for ever. */
    private void attempt(List<StreamState> streams, CompletableFuture<Void> done, Runnable step) {
        try {
            step.run();
        } catch (RuntimeException | Error e) {
            failed(streams, done, e);
        }
    }

    private void failed(List<StreamState> streams, CompletableFuture<Void> done, Throwable failure) {
        if (!over) {
            log.error("Opening {} partitions failed and is tried again: {}", streams.size(), failure, failure);
            ended(ids(streams), ids(streams), done);
        }
    }

    /** Claims what is to be claimed; what was handed over is there to be served. */
    private void take(
            List<StreamState> asked,
            List<StreamOpening.Found> found,
            List<Long> failed,
            long startedNanos,
            CompletableFuture<Void> done) {
        List<Command.Claim> claims = new ArrayList<>();
        Map<Long, StreamOpening.Found> byId = new HashMap<>();
        Map<Long, Integer> epochs = new HashMap<>();
        for (StreamOpening.Found each : found) {
            StreamState stream = each.stream();
            byId.put(stream.streamId(), each);
            if (each.handedOver() || isOpenInThisEpoch(stream)) {
                epochs.put(stream.streamId(), stream.epoch());
            } else {
                claims.add(new Command.Claim(stream.streamId(), each.endOffset(), stream.epoch()));
            }
        }
        CompletionStage<Map<Long, Integer>> claimed = claims.isEmpty()
                ? CompletableFuture.completedFuture(Map.of())
                : controlPlane.submit(new Command.OpenStreams(nodeId, nodeEpoch, claims));
        claimed.whenComplete((newEpochs, failure) -> opener.execute(() -> attempt(asked, done, () -> {
            List<Long> again = new ArrayList<>(failed);
            if (newEpochs != null) {
                epochs.putAll(newEpochs);
            } else if (!isFenced(failure)) {
                log.warn("Opening {} partitions is tried again: {}", claims.size(), String.valueOf(failure));
                claims.forEach(claim -> again.add(claim.streamId()));
            }
            serve(byId, epochs, startedNanos)
                    .whenComplete((unserved, problem) -> opener.execute(() -> attempt(asked, done, () -> {
                        if (problem != null) {
                            log.error("What was opened could not be told to all: {}", problem, problem);
                        } else {
                            again.addAll(unserved);
                        }
                        ended(ids(asked), again, done);
                        // What changed meanwhile was left alone; who was left out of the answer comes again.
                        Set<Long> settled = new HashSet<>(ids(asked));
                        again.forEach(settled::remove);
                        leftOut(claims, epochs, settled);
                        lookAgain(List.copyOf(settled));
                    })));
        })));
    }

    /** Those come again a little later, and leave the settled ones. */
    private void leftOut(List<Command.Claim> claims, Map<Long, Integer> epochs, Set<Long> settled) {
        List<Long> out = claims.stream()
                .map(Command.Claim::streamId)
                .filter(streamId -> !epochs.containsKey(streamId) && settled.remove(streamId))
                .toList();
        if (!out.isEmpty()) {
            waiting.addAll(out);
            opener.schedule(() -> lookAgain(out), RETRY_MS);
        }
    }

    /** Answers those that could not be served: nobody has found them yet, so they can be tried again. */
    private CompletionStage<List<Long>> serve(
            Map<Long, StreamOpening.Found> found, Map<Long, Integer> epochs, long startedNanos) {
        ClusterImage image = controlPlane.image();
        List<Partition> opened = new ArrayList<>(epochs.size());
        epochs.forEach((streamId, epoch) -> {
            StreamOpening.Found each = found.get(streamId);
            StreamState now = image.stream(streamId).orElse(null);
            if (each != null && now != null && now.ownerNodeId() == nodeId && now.epoch() == epoch) {
                opened.add(openings.open(each, now));
            }
        });
        CompletionStage<Void> settling = openings.settle(opened);
        opened.forEach(partition -> open.put(partition.streamId(), partition));
        return settling.handleAsync(
                (settled, failure) -> {
                    List<Partition> still = opened.stream()
                            .filter(partition -> open.get(partition.streamId()) == partition)
                            .toList();
                    return failure == null ? published(still, startedNanos) : unserved(still, failure);
                },
                opener::execute);
    }

    private List<Long> published(List<Partition> opened, long startedNanos) {
        openings.publish(opened);
        opened.forEach(partition -> hindrances.over(partition.streamId()));
        openCount = open.size();
        if (!opened.isEmpty()) {
            log.info(
                    "Opened {} partitions in {} ms",
                    opened.size(),
                    TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - startedNanos));
        }
        return List.of();
    }

    private List<Long> unserved(List<Partition> opened, Throwable failure) {
        if (!over) {
            log.error("Serving {} partitions failed and is tried again: {}", opened.size(), failure, failure);
        }
        opened.forEach(partition -> close(partition.streamId(), Errors.NOT_LEADER_OR_FOLLOWER));
        return opened.stream().map(Partition::streamId).toList();
    }

    private void ended(List<Long> asked, List<Long> again, CompletableFuture<Void> done) {
        asked.forEach(opening::remove);
        if (again.isEmpty()) {
            retryMs = RETRY_MS;
        } else {
            // With growing waits, all streams together: a store that is away must not be stormed by thousands of them.
            opener.schedule(() -> lookAgain(again), retryMs);
            retryMs = Math.min(2 * retryMs, RETRY_MAX_MS);
        }
        done.complete(null);
    }

    private void close(long streamId, Errors error) {
        Partition partition = open.remove(streamId);
        if (partition != null) {
            handovers.closed(streamId);
            openCount = open.size();
            openings.close(partition, error);
        }
    }

    private boolean isFenced(@Nullable Throwable failure) {
        Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
        if (cause instanceof CommandException command && command.reason() == CommandException.Reason.FENCED) {
            log.warn("This node's epoch {} is over: {}", nodeEpoch, command.getMessage());
            return true;
        }
        return false;
    }
}
