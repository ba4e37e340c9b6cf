package io.catchment.chaos.store;

import io.catchment.chaos.storefault.RequestKind;
import io.catchment.chaos.storefault.Trap.Moment;

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
    DELETE_BEFORE(Work.DELETE, RequestKind.DELETE, Moment.BEFORE),
    DELETE_IN_BODY(Work.DELETE, RequestKind.DELETE, Moment.MIDDLE),
    DELETE_STORED(Work.DELETE, RequestKind.DELETE, Moment.STORED),
    DELETE_ANSWERED(Work.DELETE, RequestKind.DELETE, Moment.ANSWERED),
    LIST_BEFORE(Work.LIST, RequestKind.LIST, Moment.BEFORE),
    LIST_STORED(Work.LIST, RequestKind.LIST, Moment.STORED);

    /** What makes the node send such a request. */
    enum Work {
        FLUSH,
        MERGE,
        DELETE,
        LIST
    }

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
}
