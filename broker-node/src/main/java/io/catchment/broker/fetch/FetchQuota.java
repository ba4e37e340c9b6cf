package io.catchment.broker.fetch;

import io.catchment.broker.network.Request;
import java.util.function.IntSupplier;

/** What each client may fetch. Asked on event loops: must be thread-safe and quick. */
public interface FetchQuota {

    FetchQuota NONE = new FetchQuota() {
        @Override
        public int answerBytesMax(Request request) {
            return Integer.MAX_VALUE;
        }

        @Override
        public int fetched(Request request, IntSupplier answerBytes) {
            return 0;
        }

        @Override
        public int delivered(Request request, IntSupplier answerBytes) {
            return 0;
        }
    };

    /** How large one answer may be, so that it does not hold its client up for longer than the time that is looked at. */
    int answerBytesMax(Request request);

    /**
     * An answer is about to leave.
     *
     * @param answerBytes asked only if somebody has a limit
     * @return 0: it counts, and may; else how many ms its client must wait, and must not get it yet
     */
    int fetched(Request request, IntSupplier answerBytes);

    /**
     * An answer leaves that cannot be withheld, and counts.
     *
     * @param answerBytes asked only if somebody has a limit
     * @return how many ms its client must wait afterwards
     */
    int delivered(Request request, IntSupplier answerBytes);
}
