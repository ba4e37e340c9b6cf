package io.catchment.broker.network;

import java.net.InetAddress;
import org.apache.kafka.common.requests.RequestContext;

/** What the network asks about the limits of clients, on event loops: implementations must be thread-safe, quick, and never throw. */
public interface NetworkQuotas {

    NetworkQuotas NONE = new NetworkQuotas() {};

    /** A connection came in; for how many ms it is left alone, and then closed, because its address makes too many. 0: welcome. */
    default int connectionDelayMs(InetAddress address) {
        return 0;
    }

    /** Whether time is limited for anybody; if not, nobody need measure it. */
    default boolean limitTime() {
        return false;
    }

    /**
     * A request has its answer, and took this long of its event loop.
     *
     * @return for how many ms its sender must be held back for that
     */
    default int spent(RequestContext request, long nanos) {
        return 0;
    }

    /** What sending the answer took, too; it counts with the sender's next request. */
    default void spentSending(RequestContext request, long nanos) {}
}
