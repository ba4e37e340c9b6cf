package io.catchment.broker.fetch;

import io.netty.channel.EventLoop;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.requests.FetchRequest;
import org.jspecify.annotations.Nullable;

/**
 * The partitions of one consumer's fetches: of one request, or of an incremental session from request to request. Owned by the
 * connection's event loop; {@link #woken} alone is called by others.
 *
 * <p>A session's slots stay watched between requests, so a request costs what changed, not what is subscribed: it looks at the
 * slots that are {@link #active} (had something to answer last time, or are named by the request) and at those that
 * partitions have woken since.
 */
final class FetchSlots {
    private final EventLoop loop;
    private final Map<Key, FetchSlot> byKey = new LinkedHashMap<>();
    private List<FetchSlot> active = new ArrayList<>();
    private final AtomicReference<@Nullable FetchSlot> wokenTop = new AtomicReference<>();
    private final AtomicBoolean wakeScheduled = new AtomicBoolean();
    private volatile boolean parked;
    private @Nullable FetchCall call;
    private boolean watching;
    private boolean disposed;
    private volatile long lastUsedMs;

    FetchSlots(EventLoop loop) {
        this.loop = loop;
    }

    /** A topic id makes the name meaningless, and it may be unknown (KIP-516). */
    private record Key(Uuid topicId, @Nullable String topic, int partition) {
        static Key of(TopicIdPartition partition) {
            boolean byId = !partition.topicId().equals(Uuid.ZERO_UUID);
            return new Key(partition.topicId(), byId ? null : partition.topic(), partition.partition());
        }
    }

    EventLoop loop() {
        return loop;
    }

    int size() {
        return byKey.size();
    }

    /** On a monotonic clock. */
    long lastUsedMs() {
        return lastUsedMs;
    }

    void used(long nowMs) {
        lastUsedMs = nowMs;
    }

    // ---- what the consumer asks for

    void want(TopicIdPartition partition, FetchRequest.PartitionData wanted) {
        FetchSlot slot = byKey.get(Key.of(partition));
        if (slot == null) {
            slot = new FetchSlot(this, partition, wanted);
            byKey.put(Key.of(partition), slot);
            if (watching) {
                slot.watch();
            }
        } else {
            slot.want(wanted);
        }
        slot.named = true;
        activate(slot);
    }

    void forget(TopicIdPartition partition) {
        FetchSlot slot = byKey.remove(Key.of(partition));
        if (slot != null) {
            slot.removed = true;
            slot.unwatch();
        }
    }

    // ---- what there is to look at

    /** Slots with something to answer, those first that waited longest. */
    List<FetchSlot> active() {
        return active;
    }

    private void activate(FetchSlot slot) {
        if (!slot.active && !slot.removed) {
            slot.active = true;
            active.add(slot);
        }
    }

    /** Looks at every active slot and every woken one; those that turn out idle leave, unless they are to be answered. */
    void evaluateAll(Consumer<FetchSlot> evaluation) {
        List<FetchSlot> kept = new ArrayList<>(active.size());
        for (FetchSlot slot : active) {
            slot.active = false;
            if (!slot.removed) {
                evaluation.accept(slot);
                slot.active = slot.status != FetchSlot.Status.IDLE || slot.named;
            }
            if (slot.active) {
                kept.add(slot);
            }
        }
        active = kept;
        evaluateWoken(evaluation);
    }

    /** Looks at the slots that were woken since they were last looked at, the longest awake first. */
    void evaluateWoken(Consumer<FetchSlot> evaluation) {
        FetchSlot newestFirst = wokenTop.getAndSet(null);
        FetchSlot oldestFirst = null;
        while (newestFirst != null) {
            FetchSlot next = newestFirst.nextWoken;
            newestFirst.nextWoken = oldestFirst;
            oldestFirst = newestFirst;
            newestFirst = next;
        }
        while (oldestFirst != null) {
            FetchSlot slot = oldestFirst;
            oldestFirst = slot.nextWoken;
            slot.nextWoken = null;
            slot.rest();
            if (!slot.removed) {
                evaluation.accept(slot);
                if (slot.status != FetchSlot.Status.IDLE || slot.named) {
                    activate(slot);
                }
            }
        }
    }

    /** After an answer: what was served goes to the end of the line, so that no partition starves the others. */
    void answered() {
        List<FetchSlot> unserved = new ArrayList<>();
        List<FetchSlot> served = new ArrayList<>();
        for (FetchSlot slot : active) {
            if (slot.runBytes() > 0) {
                served.add(slot);
            } else if (slot.status == FetchSlot.Status.IDLE) {
                slot.active = false;
            } else {
                unserved.add(slot);
            }
            slot.named = false;
            slot.ready = 0;
            slot.runAnswered();
        }
        unserved.addAll(served);
        active = unserved;
    }

    /** Nothing of it was answered, and the consumer asks again: what was to be told stays to be told. */
    void withheld() {
        for (FetchSlot slot : active) {
            slot.releaseRun();
            slot.ready = 0;
        }
    }

    void releaseRuns() {
        active.forEach(FetchSlot::releaseRun);
    }

    // ---- waiting

    /** From now on each slot hears of its partition; all are to be looked at once more. */
    void watchAll() {
        if (watching || disposed) {
            return;
        }
        watching = true;
        for (FetchSlot slot : byKey.values()) {
            slot.watch();
            slot.wake();
        }
    }

    /** The request that these slots work for now; {@link #end} when it is answered. */
    void begin(FetchCall started) {
        call = started;
    }

    void end(FetchCall ended) {
        if (call == ended) {
            call = null;
            parked = false;
        }
    }

    @Nullable
    FetchCall call() {
        return call;
    }

    /** From now on {@link FetchCall#woken} runs on the event loop after a slot is woken, once for many. */
    void park() {
        parked = true;
    }

    void unpark() {
        parked = false;
    }

    /** Any thread. */
    void woken(FetchSlot slot) {
        FetchSlot top;
        do {
            top = wokenTop.get();
            slot.nextWoken = top;
        } while (!wokenTop.compareAndSet(top, slot));
        if (parked && wakeScheduled.compareAndSet(false, true)) {
            try {
                loop.execute(this::wake);
            } catch (RejectedExecutionException stopping) {
                wakeScheduled.set(false);
            }
        }
    }

    private void wake() {
        wakeScheduled.set(false);
        FetchCall waiting = call;
        if (waiting != null) {
            waiting.woken();
        }
    }

    /** The consumer is gone or starts anew. A request that still waits is answered with what there is. */
    void dispose() {
        if (disposed) {
            return;
        }
        disposed = true;
        FetchCall waiting = call;
        if (waiting != null) {
            waiting.finishNow();
        }
        byKey.values().forEach(FetchSlot::unwatch);
        byKey.clear();
        active = new ArrayList<>();
    }

    void disposeOnLoop() {
        if (loop.inEventLoop()) {
            dispose();
            return;
        }
        try {
            loop.execute(this::dispose);
        } catch (RejectedExecutionException stopping) {
            // the node stops: its partitions stop too
        }
    }
}
