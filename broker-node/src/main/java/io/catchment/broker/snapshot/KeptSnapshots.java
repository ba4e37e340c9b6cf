package io.catchment.broker.snapshot;

import io.catchment.objectstore.ObjectStore;
import io.catchment.objectstore.ObjectStore.Listed;
import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Immutable. The snapshots of the state that a bucket has. */
public final class KeptSnapshots {
    private static final int READ_BYTES = 8 << 20;

    private final ObjectStore store;

    public KeptSnapshots(ObjectStore store) {
        this.store = store;
    }

    public record Kept(SnapshotKey name, long bytes) {}

    /** The oldest first. */
    public CompletionStage<List<Kept>> list() {
        return store.list(SnapshotKey.PREFIX).thenApply(KeptSnapshots::parse);
    }

    private static List<Kept> parse(List<Listed> listed) {
        List<Kept> kept = new ArrayList<>();
        listed.forEach(each -> SnapshotKey.parse(each.key()).ifPresent(name -> kept.add(new Kept(name, each.bytes()))));
        kept.sort(Comparator.comparing(Kept::name));
        return kept;
    }

    /** Deletes all but so many of the newest. */
    CompletionStage<Void> prune(int keep) {
        return list().thenCompose(kept -> {
            List<String> old = kept.subList(0, Math.max(0, kept.size() - keep)).stream()
                    .map(each -> each.name().key())
                    .toList();
            return old.isEmpty() ? CompletableFuture.completedStage(null) : store.delete(old);
        });
    }

    /** Its bytes, on the heap; not verified. */
    public CompletionStage<ByteBuffer> read(Kept snapshot) {
        ByteBuffer into = ByteBuffer.allocate(Math.toIntExact(snapshot.bytes()));
        return read(snapshot.name().key(), into).thenApply(done -> into.flip());
    }

    private CompletionStage<Void> read(String key, ByteBuffer into) {
        if (!into.hasRemaining()) {
            return CompletableFuture.completedStage(null);
        }
        int length = Math.min(READ_BYTES, into.remaining());
        return store.get(key, into.position(), length).thenCompose(part -> {
            take(part, into, length);
            return read(key, into);
        });
    }

    private static void take(ByteBuf part, ByteBuffer into, int length) {
        try {
            part.readBytes(into.slice(into.position(), length));
            into.position(into.position() + length);
        } finally {
            part.release();
        }
    }
}
