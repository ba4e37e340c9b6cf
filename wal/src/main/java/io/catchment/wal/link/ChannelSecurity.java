package io.catchment.wal.link;

import io.netty.channel.ChannelPipeline;

/** The place for mutual TLS: puts its handlers first into the pipeline of a new connection. */
public interface ChannelSecurity {
    /** No encryption. */
    ChannelSecurity NONE = (pipeline, client) -> {};

    /** @param client whether this node opened the connection */
    void secure(ChannelPipeline pipeline, boolean client);
}
