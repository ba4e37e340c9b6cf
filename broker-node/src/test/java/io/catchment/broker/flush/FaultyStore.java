package io.catchment.broker.flush;

import io.catchment.broker.testing.ManualLoop;
import io.catchment.broker.testing.TestProcess;
import io.catchment.objectstore.ObjectStore;
import io.catchment.objectstore.ObjectStoreException;
import io.catchment.objectstore.ObjectStoreException.Reason;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A bucket in memory that outlives the process, with the faults a test orders. Owned by the test's thread. */
final class FaultyStore implements ObjectStore {
    /** What becomes of one request. */
    enum Fate {
        DONE,
        /** No effect, and the caller knows that it failed. */
        FAILED,
        /** It takes effect, the answer is lost. */
        DONE_UNHEARD,
        /** It fails, and takes effect later all the same: {@link #lateMs}. */
        LATE,
        /** It takes effect when {@link #release} is called. */
        HELD
    }

    final TreeMap<String, byte[]> objects = new TreeMap<>();
    /** When a put was asked for, on the monotonic clock. */
    final List<Long> putsAtNanos = new ArrayList<>();

    final List<String> putKeys = new ArrayList<>();
    final List<String> deletedKeys = new ArrayList<>();
    private final ManualLoop time;
    private final List<Runnable> held = new ArrayList<>();
    private Function<String, Fate> putFate = key -> Fate.DONE;
    private Supplier<Fate> deleteFate = () -> Fate.DONE;
    private TestProcess process;
    private long delayMs;
    private long lateMs = 1_000;
    private int bodies;

    FaultyStore(ManualLoop time, TestProcess process) {
        this.time = time;
        this.process = process;
    }

    void process(TestProcess next) {
        process = next;
    }

    void puts(Supplier<Fate> fate) {
        putFate = key -> fate.get();
    }

    void putsByKey(Function<String, Fate> fate) {
        putFate = fate;
    }

    void deletes(Supplier<Fate> fate) {
        deleteFate = fate;
    }

    void down(boolean down) {
        deleteFate = () -> down ? Fate.FAILED : Fate.DONE;
        puts(deleteFate);
    }

    void delayMs(long ms) {
        delayMs = ms;
    }

    void lateMs(long ms) {
        lateMs = ms;
    }

    void release() {
        List<Runnable> now = List.copyOf(held);
        held.clear();
        now.forEach(Runnable::run);
    }

    int heldCount() {
        return held.size();
    }

    /** Requests whose bytes are still in memory. */
    int bodies() {
        return bodies;
    }

    @Override
    public CompletionStage<Void> put(String key, ByteBuf body) {
        putsAtNanos.add(time.nanoTime());
        putKeys.add(key);
        byte[] bytes = new byte[body.readableBytes()];
        body.getBytes(body.readerIndex(), bytes);
        bodies++;
        return request(putFate.apply(key), () -> objects.put(key, bytes), () -> {
            bodies--;
            body.release();
        });
    }

    @Override
    public CompletionStage<Void> delete(List<String> keys) {
        return request(
                deleteFate.get(),
                () -> keys.forEach(key -> {
                    objects.remove(key);
                    deletedKeys.add(key);
                }),
                () -> {});
    }

    /** @param ended the store needs the caller's memory no longer */
    private CompletionStage<Void> request(Fate fate, Runnable effect, Runnable ended) {
        CompletableFuture<Void> answer = new CompletableFuture<>();
        TestProcess sender = process;
        Runnable arrival = () -> {
            if (fate == Fate.LATE) {
                time.schedule(effect, lateMs);
            } else if (fate != Fate.FAILED) {
                effect.run();
            }
            ended.run();
            if (sender.alive()) {
                answer(answer, fate);
            }
        };
        if (fate == Fate.HELD) {
            held.add(arrival);
        } else {
            time.schedule(arrival, delayMs);
        }
        return answer;
    }

    private static void answer(CompletableFuture<Void> answer, Fate fate) {
        @Nullable
        Throwable failure = fate == Fate.DONE || fate == Fate.HELD
                ? null
                : new ObjectStoreException(Reason.TRANSIENT, "injected " + fate, null);
        if (failure == null) {
            answer.complete(null);
        } else {
            answer.completeExceptionally(failure);
        }
    }

    @Override
    public CompletionStage<Void> putIfAbsent(String key, ByteBuf body) {
        throw new AssertionError("not used by the flush");
    }

    @Override
    public CompletionStage<ByteBuf> get(String key, long position, int length) {
        byte[] object = objects.get(key);
        return object == null
                ? CompletableFuture.failedStage(new ObjectStoreException(Reason.NOT_FOUND, key, null))
                : CompletableFuture.completedStage(Unpooled.wrappedBuffer(object, Math.toIntExact(position), length));
    }

    @Override
    public CompletionStage<List<Listed>> list(String prefix) {
        throw new AssertionError("not used by the flush");
    }

    @Override
    public void close() {}
}
