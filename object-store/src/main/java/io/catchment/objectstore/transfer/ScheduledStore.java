package io.catchment.objectstore.transfer;

import io.catchment.objectstore.ObjectStore;
import io.netty.buffer.ByteBuf;
import java.util.List;
import java.util.concurrent.CompletionStage;

/** Thread-safe. A store whose every request waits for its turn as one of a class. Not the store's owner: closing it does nothing. */
final class ScheduledStore implements ObjectStore {

    private final ObjectStore store;
    private final TransferScheduler scheduler;
    private final TransferClass of;

    ScheduledStore(ObjectStore store, TransferScheduler scheduler, TransferClass of) {
        this.store = store;
        this.scheduler = scheduler;
        this.of = of;
    }

    @Override
    public CompletionStage<Void> put(String key, ByteBuf body) {
        return scheduler.submit(
                of, Direction.UP, body.readableBytes(), () -> store.put(key, body), body::release, done -> {});
    }

    @Override
    public CompletionStage<Void> putIfAbsent(String key, ByteBuf body) {
        return scheduler.submit(
                of, Direction.UP, body.readableBytes(), () -> store.putIfAbsent(key, body), body::release, done -> {});
    }

    @Override
    public CompletionStage<ByteBuf> get(String key, long position, int length) {
        return scheduler.submit(
                of, Direction.DOWN, length, () -> store.get(key, position, length), () -> {}, ByteBuf::release);
    }

    @Override
    public CompletionStage<Void> delete(List<String> keys) {
        return scheduler.submit(of, Direction.UP, 0, () -> store.delete(keys), () -> {}, done -> {});
    }

    @Override
    public CompletionStage<List<Listed>> list(String prefix) {
        return scheduler.submit(of, Direction.DOWN, 0, () -> store.list(prefix), () -> {}, listed -> {});
    }

    @Override
    public void hasten(CompletionStage<?> answer) {
        scheduler.hasten(answer, of);
    }

    @Override
    public void close() {}
}
