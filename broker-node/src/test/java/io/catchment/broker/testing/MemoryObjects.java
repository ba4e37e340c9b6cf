package io.catchment.broker.testing;

import io.catchment.objectstore.Manifest;
import io.catchment.objectstore.ObjectReader;
import io.catchment.objectstore.ObjectStoreException;
import io.netty.buffer.ByteBuf;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Published ranges in memory, one object each. Like the real reader it starts at an index step (every {@code stepBatches}
 * batches) and cuts at a byte count, also inside a batch. Thread-safe.
 */
public final class MemoryObjects implements ObjectReader {
    public final TrackedBuffers buffers = new TrackedBuffers();
    public final AtomicInteger reads = new AtomicInteger();
    private final int stepBatches;
    private final ConcurrentHashMap<Long, List<byte[]>> objects = new ConcurrentHashMap<>();
    private final ConcurrentHashMap<Long, Manifest> manifests = new ConcurrentHashMap<>();
    private volatile Runnable beforeManifest = () -> {};
    private volatile Executor executor = Runnable::run;
    private volatile @Nullable RuntimeException failure;

    public MemoryObjects(int stepBatches) {
        this.stepBatches = stepBatches;
    }

    public void readOn(Executor readers) {
        executor = readers;
    }

    public void fail(@Nullable RuntimeException next) {
        failure = next;
    }

    public void put(long objectId, List<byte[]> batches) {
        objects.put(objectId, List.copyOf(batches));
    }

    @Override
    public CompletionStage<RangeRead> read(Location location, long fromOffset, int bytesMax) {
        reads.incrementAndGet();
        return answer(() -> {
            List<byte[]> batches = object(location);
            int start = step(batches, fromOffset);
            byte[] rest = concat(batches.subList(start, batches.size()));
            int length = Math.min(rest.length, bytesMax);
            ByteBuf payload = buffers.track(TestBatches.buffer(java.util.Arrays.copyOf(rest, length)));
            return new RangeRead(payload, length == rest.length);
        });
    }

    @Override
    public CompletionStage<Long> offsetForTime(Location location, long timeMs) {
        return answer(() -> {
            List<byte[]> batches = object(location);
            for (int i = 0; i < batches.size(); i++) {
                if (TestBatches.maxTimestamp(batches.get(i)) >= timeMs) {
                    return TestBatches.baseOffset(batches.get(i - i % stepBatches));
                }
            }
            return location.endOffset();
        });
    }

    @Override
    public CompletionStage<ByteBuf> bytes(long objectId, long objectBytes, long position, int length) {
        throw new AssertionError("no checkpoints here");
    }

    public void manifest(long objectId, Manifest manifest) {
        manifests.put(objectId, manifest);
    }

    /** A step that others do right before a manifest is read. */
    public void beforeManifest(Runnable step) {
        beforeManifest = step;
    }

    public void withoutManifest(long objectId) {
        manifests.remove(objectId);
    }

    @Override
    public CompletionStage<Manifest> manifest(long objectId, long objectBytes) {
        return answer(() -> {
            beforeManifest.run();
            Manifest manifest = manifests.get(objectId);
            if (manifest == null) {
                throw new ObjectStoreException(ObjectStoreException.Reason.NOT_FOUND, "no manifest " + objectId, null);
            }
            return manifest;
        });
    }

    @Override
    public void close() {}

    private int step(List<byte[]> batches, long fromOffset) {
        int index = 0;
        while (index < batches.size() && TestBatches.endOffset(batches.get(index)) <= fromOffset) {
            index++;
        }
        return index - index % stepBatches;
    }

    private List<byte[]> object(Location location) {
        List<byte[]> batches = objects.get(location.objectId());
        if (batches == null) {
            throw new ObjectStoreException(
                    ObjectStoreException.Reason.NOT_FOUND, "no object " + location.objectId(), null);
        }
        return batches;
    }

    private static byte[] concat(List<byte[]> parts) {
        java.io.ByteArrayOutputStream all = new java.io.ByteArrayOutputStream();
        parts.forEach(all::writeBytes);
        return all.toByteArray();
    }

    private <T> CompletionStage<T> answer(java.util.function.Supplier<T> reading) {
        CompletableFuture<T> result = new CompletableFuture<>();
        executor.execute(() -> {
            try {
                RuntimeException broken = failure;
                if (broken != null) {
                    throw broken;
                }
                result.complete(reading.get());
            } catch (RuntimeException e) {
                result.completeExceptionally(e);
            }
        });
        return result;
    }
}
