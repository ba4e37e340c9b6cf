package io.catchment.chaos.history;

/** One broken promise, with where and what. */
public record Violation(Kind kind, String what) {
    public enum Kind {
        /** Acknowledged, and not where the acknowledgement said. */
        LOST,
        /** The same record twice. */
        DUPLICATED,
        /** A record of a producer before an earlier one of the same producer. */
        REORDERED,
        /** The value's bytes are not those that were sent. */
        CORRUPTED,
        /** Never sent by anybody. */
        INVENTED,
        /** Offsets that are missing or come twice. */
        OFFSETS,
        /** A reader has had it, and it is not there any more, or another record is. */
        VANISHED,
        /** A send, commit or read that failed although the fault should not have been seen. */
        FAILED,
        /** A committed offset that is not there any more. */
        COMMIT_LOST,
        /** A client was given more or less than its quota, or was held back without one. */
        QUOTA,
        /** Another answer than Apache Kafka's, without a reason. */
        DIFFERENT,
        /** Something took longer than it may. */
        LATE
    }

    @Override
    public String toString() {
        return kind + " " + what;
    }
}
