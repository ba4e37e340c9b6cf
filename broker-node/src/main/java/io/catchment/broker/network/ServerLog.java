package io.catchment.broker.network;

import io.netty.channel.Channel;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One line for each connection that is closed for a reason worth a line, rate limited per reason. Thread-safe. */
final class ServerLog {
    private static final Logger LOG = LoggerFactory.getLogger(ServerLog.class);

    private final Map<CloseReason, LogLimiter> limiters = new EnumMap<>(CloseReason.class);

    ServerLog() {
        for (CloseReason reason : CloseReason.values()) {
            limiters.put(reason, new LogLimiter());
        }
    }

    void closing(Channel channel, CloseReason reason, String explanation) {
        LogLimiter limiter = Objects.requireNonNull(limiters.get(reason));
        if (!limiter.permits()) {
            return;
        }
        String line = "Closed the connection from {} to {}: {}{}";
        if (reason == CloseReason.PEER || reason == CloseReason.IDLE || reason == CloseReason.SHUTDOWN) {
            LOG.info(line, channel.remoteAddress(), channel.localAddress(), explanation, limiter.suppressedNote());
        } else {
            LOG.warn(line, channel.remoteAddress(), channel.localAddress(), explanation, limiter.suppressedNote());
        }
    }
}
