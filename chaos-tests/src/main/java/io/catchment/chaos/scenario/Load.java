package io.catchment.chaos.scenario;

import java.io.IOException;
import java.time.Duration;
import java.util.Map;

/** A producer at work in the background, with a record of its acknowledgements. */
interface Load extends AutoCloseable {

    /** So far; may lag a little. */
    long acknowledged();

    boolean running();

    /** @throws IllegalStateException when it is not done in time */
    void join(Duration limit);

    /** After {@link #join}: from now on the history is complete. */
    void collect() throws IOException;

    Map<Integer, Long> sentByProducer();

    @Override
    void close();
}
