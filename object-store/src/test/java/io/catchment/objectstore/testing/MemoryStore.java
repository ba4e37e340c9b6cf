package io.catchment.objectstore.testing;

import io.catchment.objectstore.ObjectKeys;
import io.catchment.objectstore.ObjectStore;
import io.catchment.objectstore.ObjectStoreException;
import io.catchment.objectstore.ObjectStoreException.Reason;
import io.catchment.objectstore.PiecedBuffers;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufUtil;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/** Objects in memory, answered at once on the caller's thread. Thread-safe. */
public class MemoryStore implements ObjectStore {
    private final ConcurrentMap<String, byte[]> objects = new ConcurrentHashMap<>();

    @Override
    public CompletionStage<Void> put(String key, ByteBuf body) {
        objects.put(checked(key, body), taken(body));
        return CompletableFuture.completedFuture(null);
    }

    @Override
    public CompletionStage<Void> putIfAbsent(String key, ByteBuf body) {
        byte[] before = objects.putIfAbsent(checked(key, body), taken(body));
        return before == null
                ? CompletableFuture.completedFuture(null)
                : CompletableFuture.failedFuture(new ObjectStoreException(Reason.ALREADY_EXISTS, key, null));
    }

    @Override
    public CompletionStage<ByteBuf> get(String key, long position, int length) {
        byte[] object = objects.get(ObjectKeys.check(key));
        if (object == null) {
            return CompletableFuture.failedFuture(new ObjectStoreException(Reason.NOT_FOUND, key, null));
        }
        if (position + length > object.length) {
            return CompletableFuture.failedFuture(new ObjectStoreException(Reason.CORRUPT, key + " is shorter", null));
        }
        return CompletableFuture.completedFuture(
                PiecedBuffers.allocate(ByteBufAllocator.DEFAULT, length).writeBytes(object, (int) position, length));
    }

    @Override
    public CompletionStage<Void> delete(List<String> keys) {
        keys.forEach(key -> objects.remove(ObjectKeys.check(key)));
        return CompletableFuture.completedFuture(null);
    }

    @Override
    public CompletionStage<List<Listed>> list(String prefix) {
        return CompletableFuture.completedFuture(objects.entrySet().stream()
                .filter(entry -> entry.getKey().startsWith(prefix))
                .map(entry -> new Listed(entry.getKey(), entry.getValue().length))
                .sorted((a, b) -> Arrays.compareUnsigned(
                        a.key().getBytes(StandardCharsets.UTF_8), b.key().getBytes(StandardCharsets.UTF_8)))
                .toList());
    }

    @Override
    public void close() {}

    /** Flips one bit. */
    public final void corrupt(String key, int position) {
        byte[] object = objects.get(key);
        if (object == null) {
            throw new IllegalArgumentException("no object " + key);
        }
        byte[] changed = object.clone();
        changed[position] ^= 0x10;
        objects.put(key, changed);
    }

    public final int size(String key) {
        byte[] object = objects.get(key);
        return object == null ? -1 : object.length;
    }

    private static String checked(String key, ByteBuf body) {
        try {
            return ObjectKeys.check(key);
        } catch (IllegalArgumentException bad) {
            body.release();
            throw bad;
        }
    }

    private static byte[] taken(ByteBuf body) {
        try {
            return ByteBufUtil.getBytes(body);
        } finally {
            body.release();
        }
    }
}
