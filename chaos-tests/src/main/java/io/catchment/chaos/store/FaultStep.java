package io.catchment.chaos.store;

import io.catchment.chaos.storefault.Fault;
import io.catchment.chaos.storefault.FaultRule;
import io.catchment.chaos.storefault.RequestKind;
import java.time.Duration;
import java.util.List;
import java.util.Set;

/** Ways for an object store to fail, and what must be seen of each. */
enum FaultStep {
    SLOW_DOWN(Show.THROTTLED, true, 12, always(answer(503, "SlowDown"))),
    /** The store takes one request in three: there must be progress. */
    SLOW_DOWN_MOSTLY(
            Show.THROTTLED, false, 12, new FaultRule(Set.of(RequestKind.values()), answer(503, "SlowDown"), 0.67)),
    INTERNAL_ERROR(Show.UNAVAILABLE, true, 12, always(answer(500, "InternalError"))),
    /** Longer than an attempt may take. */
    SILENCE(Show.TIMEOUT, true, 45, always(new Fault.Silence())),
    REFUSED_CONNECTIONS(Show.UNAVAILABLE, true, 12),
    RESETS(Show.UNAVAILABLE, true, 12, always(new Fault.Reset(Fault.Reset.Where.AT_ONCE))),
    RESETS_IN_UPLOADS(
            Show.UNAVAILABLE, true, 12, always(new Fault.Reset(Fault.Reset.Where.REQUEST_BODY), RequestKind.PUT)),
    RESETS_IN_DOWNLOADS(
            Show.UNAVAILABLE, false, 12, always(new Fault.Reset(Fault.Reset.Where.ANSWER_BODY), RequestKind.GET)),
    TRUNCATED_DOWNLOADS(Show.UNAVAILABLE, false, 12, always(new Fault.Truncated(), RequestKind.GET)),
    /** Every second read; were it every one, the reader would rightly be told so. */
    CORRUPT_DOWNLOADS(
            Show.CORRUPT_BLOCKS, false, 12, new FaultRule(Set.of(RequestKind.GET), new Fault.AnswerCorrupted(), 0.5)),
    CORRUPT_UPLOADS(Show.UNAVAILABLE, true, 12, always(new Fault.RequestCorrupted(), RequestKind.PUT)),
    EXPIRED_TOKEN(Show.CREDENTIALS, true, 12, always(answer(403, "ExpiredToken"))),
    /** The file with the keys is wrong, too, until it is written anew. */
    ROTATED_KEYS(Show.CREDENTIALS, true, 12, always(answer(403, "InvalidAccessKeyId"))),
    ACCESS_DENIED(Show.REFUSED, true, 12, always(answer(403, "AccessDenied"))),
    LATENCY_10_S(Show.NOTHING, false, 30, always(new Fault.Delay(10_000))),
    SLOW_LINK(Show.NOTHING, false, 15);

    /** How a node's metrics tell the failure. */
    enum Show {
        THROTTLED,
        UNAVAILABLE,
        TIMEOUT,
        CREDENTIALS,
        REFUSED,
        CORRUPT_BLOCKS,
        /** Slow is no failure. */
        NOTHING
    }

    private final Show shows;
    private final boolean stopsFlush;
    private final int seconds;

    @SuppressWarnings("ImmutableEnumChecker") // List.of
    private final List<FaultRule> rules;

    FaultStep(Show shows, boolean stopsFlush, int seconds, FaultRule... rules) {
        this.shows = shows;
        this.stopsFlush = stopsFlush;
        this.seconds = seconds;
        this.rules = List.of(rules);
    }

    Show shows() {
        return shows;
    }

    /** Nothing can be written while it lasts. */
    boolean stopsFlush() {
        return stopsFlush;
    }

    /** What fails. */
    Set<RequestKind> kinds() {
        return rules.isEmpty() ? Set.of(RequestKind.values()) : rules.get(0).kinds();
    }

    /** So many requests fail in a row that the circuit opens; other kinds of request that succeed would keep it closed. */
    boolean opensCircuit() {
        return stopsFlush && shows != Show.TIMEOUT && kinds().size() == RequestKind.values().length;
    }

    Duration time() {
        return Duration.ofSeconds(seconds);
    }

    List<FaultRule> rules() {
        return rules;
    }

    private static FaultRule always(Fault fault, RequestKind... kinds) {
        return kinds.length == 0 ? FaultRule.always(fault) : FaultRule.always(fault, kinds);
    }

    private static Fault answer(int status, String code) {
        return new Fault.Answer(status, code, "on purpose");
    }
}
