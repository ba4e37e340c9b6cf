package io.catchment.broker.network;

import java.nio.ByteBuffer;
import java.util.concurrent.CompletionStage;

/** Answers whole frames of a listener whose protocol is parsed elsewhere (the controllers' own traffic). */
@FunctionalInterface
public interface RawHandler {

    /**
     * Called on the connection's event loop; must not block.
     *
     * @param frame one request without its size prefix, valid until the stage completes
     * @return the answer without its size prefix, in pieces that are written one after the other and must not change any more;
     *     answers leave in the order of the requests. A failed stage closes the connection.
     */
    CompletionStage<ByteBuffer[]> handle(ByteBuffer frame);
}
