package io.catchment.broker.flush;

import io.catchment.broker.flush.FlushMetrics.Stage;
import io.catchment.broker.loop.SerialLoop;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.ControlPlane;
import io.catchment.controlplane.ExtentState;
import io.catchment.wal.Wal;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Owned by the flush loop. Keeps flushed extents on the local disk to be read from there, up to so many bytes and as long as the disk has
 * room; then the oldest are deleted here and released in the control plane, and those without data at once. Each holder does it for itself,
 * whoever wrote the extent. Only what the image shows as FLUSHED is ever deleted (W5).
 */
final class HotWindow {
    private static final Logger LOG = LoggerFactory.getLogger(HotWindow.class);
    private static final long RETRY_MS = 5_000;

    private final Wal wal;
    private final ControlPlane controlPlane;
    private final LocalExtents extents;
    private final SerialLoop loop;
    private final FlushSettings settings;
    private final FlushMetrics metrics;
    private final int nodeId;
    private final Set<Long> underWay = new HashSet<>();
    private long notBeforeNanos;
    private long hotBytes;

    HotWindow(
            Wal wal,
            ControlPlane controlPlane,
            LocalExtents extents,
            SerialLoop loop,
            FlushSettings settings,
            FlushMetrics metrics,
            int nodeId) {
        this.wal = wal;
        this.controlPlane = controlPlane;
        this.extents = extents;
        this.loop = loop;
        this.settings = settings;
        this.metrics = metrics;
        this.nodeId = nodeId;
        this.notBeforeNanos = loop.nanoTime();
    }

    long hotBytes() {
        return hotBytes;
    }

    void trim() {
        ClusterImage image = controlPlane.image();
        List<ExtentState> flushed = extents.flushed(image);
        long held = 0;
        for (ExtentState extent : flushed) {
            held += extents.bytes(extent);
        }
        hotBytes = held;
        if (loop.nanoTime() - notBeforeNanos < 0) {
            return;
        }
        long missing = settings.diskLowBytes() - wal.stats().diskUsableBytes();
        for (ExtentState extent : flushed) {
            long bytes = extents.bytes(extent);
            boolean gone = wal.length(extent.extentId()).isEmpty();
            boolean empty = extent.length() == 0;
            if (!gone && !empty && held <= settings.hotBytes() && missing <= 0) {
                continue;
            }
            if (underWay.add(extent.extentId())) {
                delete(extent, gone, bytes);
            }
            held -= bytes;
            missing -= bytes;
        }
    }

    /** The copy first: a crash in between leaves a holder that has nothing, which the next look releases. */
    private void delete(ExtentState extent, boolean gone, long bytes) {
        long id = extent.extentId();
        List<ExtentState.Store> ours = extent.holders().stream()
                .filter(holder -> holder.nodeId() == nodeId)
                .toList();
        FlushFailure.<Void>attempt(Stage.DELETE, () -> gone ? CompletableFuture.completedStage(null) : wal.delete(id))
                .thenCompose(nothing -> controlPlane.submit(new Command.ReleaseExtent(id, ours)))
                .whenComplete((done, failure) -> loop.execute(() -> {
                    underWay.remove(id);
                    if (failure == null) {
                        metrics.deleted(1, bytes);
                    } else {
                        notBeforeNanos = loop.nanoTime() + TimeUnit.MILLISECONDS.toNanos(RETRY_MS);
                        metrics.failed(Stage.DELETE);
                        LOG.warn(
                                "Flushed extent {} could not be deleted, trying again in {} ms: {}",
                                id,
                                RETRY_MS,
                                failure.toString());
                    }
                }));
    }
}
