package io.catchment.broker.flush;

import io.catchment.broker.flush.FlushMetrics.Stage;
import io.catchment.broker.loop.Backoff;
import io.catchment.broker.loop.SerialLoop;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.CommandException.Reason;
import io.catchment.controlplane.ControlPlane;
import io.catchment.controlplane.ExtentState;
import io.catchment.wal.Lane;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Owned by the flush loop. Extents from the end of their upload until they are published. Each waits until those with the earlier offsets of
 * its streams are published (O2), then it is one command, or several after each other if it has more entries than one may have. While the controllers do not answer, one extent is tried at a time, with
 * growing pauses.
 */
final class Publishes {
    private static final Logger LOG = LoggerFactory.getLogger(Publishes.class);
    /** How long an extent waits for its turn as a whole until less than that is published. */
    private static final long TURN_AWAITED_MS = 3_000;

    private static final int LONG_WAITING_PER_PLACE = 4;

    /** What becomes of an extent; it has left the waiting ones before the call. */
    interface Listener {
        void published(ExtentState extent);

        /** Its object's time was over; the upload has to be made again. */
        void expired(ExtentState extent, long objectId);

        /** The control plane will never take it like this. */
        void refused(ExtentState extent, FlushFailure failure);

        /** This node's epoch is over. */
        void fenced(FlushFailure failure);

        /** Something may be due: look at everything again. */
        void look();
    }

    private record Waiting(
            ExtentState extent, Uploaded uploaded, long startedNanos, long uploadedNanos, boolean publishing) {
        Waiting underWay() {
            return new Waiting(extent, uploaded, startedNanos, uploadedNanos, true);
        }

        Waiting after(Uploaded.Part part) {
            return new Waiting(extent, uploaded.after(part), startedNanos, uploadedNanos, false);
        }
    }

    private final ControlPlane controlPlane;
    private final SerialLoop loop;
    private final FlushMetrics metrics;
    private final Listener listener;
    private final Backoff backoff;
    private final int nodeId;
    private final long nodeEpoch;
    private final int entriesMax;
    /** By extent id. */
    private final TreeMap<Long, Waiting> waiting = new TreeMap<>();

    private long notBeforeNanos;

    Publishes(
            ControlPlane controlPlane,
            SerialLoop loop,
            FlushMetrics metrics,
            Listener listener,
            Backoff backoff,
            int nodeId,
            long nodeEpoch,
            int entriesMax) {
        this.controlPlane = controlPlane;
        this.loop = loop;
        this.metrics = metrics;
        this.listener = listener;
        this.backoff = backoff;
        this.nodeId = nodeId;
        this.nodeEpoch = nodeEpoch;
        this.entriesMax = entriesMax;
    }

    void add(ExtentState extent, Uploaded uploaded, long startedNanos) {
        waiting.put(extent.extentId(), new Waiting(extent, uploaded, startedNanos, loop.nanoTime(), false));
    }

    boolean holds(long extentId) {
        return waiting.containsKey(extentId);
    }

    /**
     * How many of the places for uploaded extents are taken. While the controllers answer, those that have waited for long take none: what they
     * wait for may be stuck, and others are not to wait with them. But there is a bound to that.
     */
    int taken(int places) {
        if (!answering() || waiting.size() >= places * LONG_WAITING_PER_PLACE) {
            return Math.max(places, waiting.size());
        }
        return (int) waiting.values().stream()
                .filter(one -> one.publishing() || !waitsForLong(one))
                .count();
    }

    /** Another node has the task of what is left of them now. */
    void forgetOthers(ClusterImage image, List<ExtentState> ours) {
        Set<Long> ids = ours.stream().map(ExtentState::extentId).collect(Collectors.toSet());
        waiting.values()
                .removeIf(one -> !one.publishing()
                        && !ids.contains(one.extent().extentId())
                        && image.extent(one.extent().extentId())
                                .filter(extent -> extent.phase() == ExtentState.Phase.SEALED)
                                .isPresent());
    }

    boolean answering() {
        return !backoff.failing();
    }

    /** Those that wait may wait for this one: probably if it is older than all of them, possibly if none of them moves. */
    boolean mayWaitFor(long extentId) {
        return waiting.isEmpty() || extentId < waiting.firstKey() || nothingMoves();
    }

    /**
     * After the pause that followed a failure, too: what the controllers did and did not say may have left nothing that could be tried again
     * before another extent is uploaded.
     */
    private boolean nothingMoves() {
        return (answering() || pauseIsOver())
                && waiting.values().stream().noneMatch(one -> one.publishing() || !waitsForLong(one));
    }

    private boolean pauseIsOver() {
        return loop.nanoTime() - notBeforeNanos >= 0;
    }

    private boolean waitsForLong(Waiting one) {
        return loop.nanoTime() - one.uploadedNanos() >= TimeUnit.MILLISECONDS.toNanos(TURN_AWAITED_MS);
    }

    void clear() {
        waiting.clear();
    }

    /** For people and failed tests. */
    String describe() {
        ClusterImage image = controlPlane.image();
        StringBuilder text = new StringBuilder("not before ms ")
                .append(TimeUnit.NANOSECONDS.toMillis(notBeforeNanos - loop.nanoTime()));
        waiting.forEach((id, one) -> text.append("\n  ")
                .append(id)
                .append(one.publishing() ? " under way, " : " waits, ")
                .append(one.uploaded().turn(image))
                .append(" for ms ")
                .append(TimeUnit.NANOSECONDS.toMillis(loop.nanoTime() - one.uploadedNanos()))
                .append(' ')
                .append(one.uploaded().ranges()));
        return text.toString();
    }

    /** All whose turn it is; one at a time while the control plane does not answer. */
    void publishDue() {
        boolean all = answering();
        if (!all && (!pauseIsOver() || waiting.values().stream().anyMatch(Waiting::publishing))) {
            return;
        }
        ClusterImage image = controlPlane.image();
        for (Waiting one : List.copyOf(waiting.values())) {
            if (!one.publishing() && publishIfItsTurn(one, image) && !all) {
                return;
            }
        }
    }

    /**
     * Before all of it is due, only what has waited: mostly its turn as a whole comes soon. But where streams changed their lanes or owners, two extents may
     * have the later part of each other's streams, and neither could ever go first.
     */
    private boolean publishIfItsTurn(Waiting one, ClusterImage image) {
        Uploaded.Turn turn = one.uploaded().turn(image);
        if (turn == Uploaded.Turn.NONE || (turn == Uploaded.Turn.SOME && !waitsForLong(one))) {
            return false;
        }
        publish(one, one.uploaded().next(image, entriesMax));
        return true;
    }

    private void publish(Waiting one, Uploaded.Part part) {
        long id = one.extent().extentId();
        Uploaded uploaded = one.uploaded();
        waiting.put(id, one.underWay());
        Command.PublishFlush command = new Command.PublishFlush(
                nodeId,
                nodeEpoch,
                id,
                uploaded.objectId(),
                uploaded.objectBytes(),
                part.ranges(),
                part.checkpoints(),
                part.partial());
        FlushFailure.attempt(Stage.PUBLISH, () -> controlPlane.submit(command))
                .whenComplete((done, failure) -> loop.execute(() -> {
                    if (failure == null) {
                        done(one, part);
                    } else {
                        failed(one, FlushFailure.from(Stage.PUBLISH, failure));
                    }
                }));
    }

    private void done(Waiting one, Uploaded.Part part) {
        backoff.succeeded();
        if (part.partial()) {
            waiting.replace(one.extent().extentId(), one.after(part));
        } else {
            waiting.remove(one.extent().extentId());
            metrics.published(
                    Lane.of(one.extent().lane()), one.uploaded().objectBytes(), loop.nanoTime() - one.startedNanos());
            listener.published(one.extent());
        }
        listener.look();
    }

    private void failed(Waiting one, FlushFailure failure) {
        ExtentState extent = one.extent();
        Reason reason = failure.reason();
        if (reason == Reason.NOT_YET) {
            // The controllers know of something that this image does not show yet: at the next look.
            waiting.replace(extent.extentId(), one);
            backoff.succeeded();
            return;
        }
        metrics.failed(Stage.PUBLISH);
        if (reason == Reason.FENCED) {
            listener.fenced(failure);
        } else if (reason == Reason.NOT_FOUND) {
            long objectId = one.uploaded().objectId();
            LOG.info(
                    "Object {} of extent {} expired before it was published: uploading again",
                    objectId,
                    extent.extentId());
            backoff.succeeded();
            waiting.remove(extent.extentId());
            listener.expired(extent, objectId);
            listener.look();
        } else if (reason == Reason.INVALID || reason == Reason.ALREADY_EXISTS) {
            backoff.succeeded();
            waiting.remove(extent.extentId());
            listener.refused(extent, failure);
            listener.look();
        } else {
            // Unreachable, or unknown whether it was done: the same command again does no harm.
            waiting.replace(extent.extentId(), one);
            pause(extent, failure);
        }
    }

    private void pause(ExtentState extent, FlushFailure failure) {
        if (backoff.failing() && !pauseIsOver()) {
            // It began together with the one that was counted.
            return;
        }
        long waitMs = backoff.failedMs();
        notBeforeNanos = loop.nanoTime() + TimeUnit.MILLISECONDS.toNanos(waitMs);
        loop.schedule(listener::look, waitMs);
        failure.logged(LOG, extent.extentId(), backoff);
    }
}
