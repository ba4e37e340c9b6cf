package io.catchment.chaos.store;

import io.catchment.chaos.storefault.RequestKind;
import io.catchment.chaos.storefault.Trap.Moment;
import java.util.HashMap;
import java.util.Map;

/** Where a node is killed while it changes the object store, or looks at all of it. */
enum CrashPoint {
    FLUSH_BEFORE_PUT(Work.FLUSH, RequestKind.PUT, Moment.BEFORE),
    FLUSH_IN_BODY(Work.FLUSH, RequestKind.PUT, Moment.MIDDLE),
    FLUSH_STORED(Work.FLUSH, RequestKind.PUT, Moment.STORED),
    FLUSH_ANSWERED(Work.FLUSH, RequestKind.PUT, Moment.ANSWERED),
    MERGE_READING(Work.MERGE, RequestKind.GET, Moment.STORED),
    MERGE_BEFORE_PUT(Work.MERGE, RequestKind.PUT, Moment.BEFORE),
    MERGE_IN_BODY(Work.MERGE, RequestKind.PUT, Moment.MIDDLE),
    MERGE_STORED(Work.MERGE, RequestKind.PUT, Moment.STORED),
    MERGE_ANSWERED(Work.MERGE, RequestKind.PUT, Moment.ANSWERED),
    COMPACTION_READING(Work.COMPACTION, RequestKind.GET, Moment.STORED),
    COMPACTION_BEFORE_PUT(Work.COMPACTION, RequestKind.PUT, Moment.BEFORE),
    COMPACTION_IN_BODY(Work.COMPACTION, RequestKind.PUT, Moment.MIDDLE),
    COMPACTION_STORED(Work.COMPACTION, RequestKind.PUT, Moment.STORED),
    COMPACTION_ANSWERED(Work.COMPACTION, RequestKind.PUT, Moment.ANSWERED),
    MANIFEST_BEFORE_PUT(Work.MANIFEST, RequestKind.PUT, Moment.BEFORE),
    MANIFEST_IN_BODY(Work.MANIFEST, RequestKind.PUT, Moment.MIDDLE),
    MANIFEST_STORED(Work.MANIFEST, RequestKind.PUT, Moment.STORED),
    MANIFEST_ANSWERED(Work.MANIFEST, RequestKind.PUT, Moment.ANSWERED),
    DELETE_BEFORE(Work.DELETE, RequestKind.DELETE, Moment.BEFORE),
    DELETE_IN_BODY(Work.DELETE, RequestKind.DELETE, Moment.MIDDLE),
    DELETE_STORED(Work.DELETE, RequestKind.DELETE, Moment.STORED),
    DELETE_ANSWERED(Work.DELETE, RequestKind.DELETE, Moment.ANSWERED),
    LIST_BEFORE(Work.LIST, RequestKind.LIST, Moment.BEFORE),
    LIST_STORED(Work.LIST, RequestKind.LIST, Moment.STORED);

    /** What makes the node send such a request, and how it is known among others of its kind. */
    enum Work {
        FLUSH,
        MERGE,
        COMPACTION,
        MANIFEST,
        DELETE,
        LIST;

        /** Without merges: what is put and is neither small nor a manifest is compacted, and catalogs grow until they need manifests. */
        boolean withoutMerges() {
            return this == COMPACTION || this == MANIFEST;
        }

        boolean readsFirst() {
            return this == MERGE || this == COMPACTION;
        }
    }

    /** A merged object has eight ranges; a flushed one three records or so. */
    private static final long MERGED_BYTES_MIN = 40 << 10;
    /** A compacted object has all keys, a flushed one some of them. */
    private static final long COMPACTED_BYTES_MIN = KeyedUpdates.KEYS * KeyedUpdates.VALUE_BYTES / 2;

    /** Of several keys at once: snapshots of the state are deleted one by one. */
    private static final long DELETE_BYTES_MIN = 500;

    private static final long MANIFEST_FRAME_BYTES = 36;
    private static final long MANIFEST_ENTRY_BYTES = 60;
    private static final long MANIFEST_ENTRIES_MIN = 200;
    private static final long MANIFEST_ENTRIES_MAX = 1_000;

    private static final Map<String, String> COMMON = Map.of(
            "catchment.wal.roll.ms", "100",
            "catchment.merge.look.ms", "200",
            "catchment.object.delete.grace.ms", "500",
            // deletes wait for snapshots
            "catchment.state.snapshot.ms", "500");

    private final Work work;
    private final RequestKind kind;
    private final Moment moment;

    CrashPoint(Work work, RequestKind kind, Moment moment) {
        this.work = work;
        this.kind = kind;
        this.moment = moment;
    }

    Work work() {
        return work;
    }

    RequestKind kind() {
        return kind;
    }

    Moment moment() {
        return moment;
    }

    /**
     * Extents that roll soon, merges of few ranges or of none, compaction of little, short times of grace.
     *
     * @param uploadLimitMs after which an upload that was not published is given up
     */
    static Map<String, String> settings(boolean withoutMerges, long uploadLimitMs) {
        Map<String, String> all = new HashMap<>(COMMON);
        all.put("catchment.object.upload.limit.ms", String.valueOf(uploadLimitMs));
        all.put("catchment.merge.fan.in", withoutMerges ? "10000" : "8");
        all.put("catchment.compaction.dirty.min.bytes", String.valueOf(COMPACTED_BYTES_MIN));
        return all;
    }

    /** Whether a request is of this work, so far as it can be told from outside. */
    boolean is(RequestKind of, String target, long bytes) {
        return of == kind
                && switch (kind) {
                    case PUT -> target.contains("/objects/") && isOfSize(bytes);
                    case GET, HEAD -> target.contains("/objects/");
                    case DELETE -> bytes >= DELETE_BYTES_MIN;
                    case LIST -> target.contains("objects");
                };
    }

    private boolean isOfSize(long bytes) {
        return switch (work) {
            case MERGE -> bytes >= MERGED_BYTES_MIN;
            case COMPACTION -> bytes >= COMPACTED_BYTES_MIN;
            case MANIFEST -> {
                long entries = (bytes - MANIFEST_FRAME_BYTES) / MANIFEST_ENTRY_BYTES;
                yield (bytes - MANIFEST_FRAME_BYTES) % MANIFEST_ENTRY_BYTES == 0
                        && entries >= MANIFEST_ENTRIES_MIN
                        && entries <= MANIFEST_ENTRIES_MAX;
            }
            case FLUSH -> bytes < MERGED_BYTES_MIN;
            case DELETE, LIST -> false;
        };
    }
}
