package io.catchment.objectstore.cache;

import io.catchment.objectstore.ReadClass;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/** Owned by its loader's lock. Loads that wait: those of readers at the tail before those that catch up, each in the order they came. */
final class LoadQueue {
    private final int max;
    private final ArrayDeque<BlockLoader.Queued> tail = new ArrayDeque<>();
    private final ArrayDeque<BlockLoader.Queued> catchUp = new ArrayDeque<>();

    /** @param max of each class */
    LoadQueue(int max) {
        this.max = max;
    }

    /** False when it is full. */
    boolean add(BlockLoader.Queued entry) {
        ArrayDeque<BlockLoader.Queued> own = of(entry.as());
        return own.size() < max && own.add(entry);
    }

    boolean goesBehindOthers(ReadClass as) {
        return !tail.isEmpty() || (as == ReadClass.CATCH_UP && !catchUp.isEmpty());
    }

    BlockLoader.@Nullable Queued peek() {
        return tail.isEmpty() ? catchUp.peekFirst() : tail.peekFirst();
    }

    /** False when it was taken out already. */
    boolean remove(BlockLoader.Queued entry) {
        return of(entry.as()).remove(entry);
    }

    /** Before it becomes one of readers at the tail; that queue may get longer by it. False when it does not wait here. */
    boolean moveToTail(BlockLoader.Queued entry) {
        return catchUp.remove(entry) && tail.add(entry);
    }

    boolean isEmpty() {
        return tail.isEmpty() && catchUp.isEmpty();
    }

    int size() {
        return tail.size() + catchUp.size();
    }

    private ArrayDeque<BlockLoader.Queued> of(ReadClass as) {
        return as == ReadClass.TAIL ? tail : catchUp;
    }
}
