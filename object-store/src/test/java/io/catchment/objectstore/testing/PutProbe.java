package io.catchment.objectstore.testing;

import io.catchment.objectstore.ObjectStore;
import io.catchment.objectstore.open.ObjectStores;
import io.catchment.objectstore.retry.RetryPolicy;
import io.catchment.objectstore.retry.StoreListener;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;

/** What a store takes in a second from this project's client alone: arguments URI and bytes. Leaves nothing there. */
public final class PutProbe {
    private static final int OBJECT_BYTES = 64 << 20;
    private static final int AT_A_TIME = 2;

    private PutProbe() {}

    public static void main(String[] arguments) {
        long bytes = Long.parseLong(arguments[1]);
        byte[] noise = new byte[1 << 20];
        new Random(1).nextBytes(noise);
        ByteBuf body = ByteBufAllocator.DEFAULT.directBuffer(OBJECT_BYTES);
        while (body.isWritable(noise.length) && body.readableBytes() < OBJECT_BYTES) {
            body.writeBytes(noise);
        }
        var timer = Executors.newSingleThreadScheduledExecutor();
        ObjectStore store = ObjectStores.open(arguments[0], Map.of(), RetryPolicy.DEFAULT, timer, StoreListener.NONE);
        List<String> keys = new ArrayList<>();
        var underWay = new ArrayDeque<CompletableFuture<Void>>();
        put(store, "probe-warm-up", body.retainedSlice(0, 1 << 20)).join();
        long start = System.nanoTime();
        for (long put = 0; put < bytes; put += OBJECT_BYTES) {
            String key = "probe-" + keys.size();
            keys.add(key);
            underWay.add(put(store, key, body.retainedDuplicate()));
            if (underWay.size() == AT_A_TIME) {
                underWay.remove().join();
            }
        }
        underWay.forEach(CompletableFuture::join);
        double seconds = (System.nanoTime() - start) / 1e9;
        System.out.println("bytes per second " + (long) OBJECT_BYTES * keys.size() / seconds);
        keys.add("probe-warm-up");
        store.delete(keys).toCompletableFuture().join();
        store.close();
        timer.shutdownNow();
        body.release();
    }

    private static CompletableFuture<Void> put(ObjectStore store, String key, ByteBuf body) {
        return store.put(key, body).toCompletableFuture();
    }
}
