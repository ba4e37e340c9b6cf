package io.catchment.chaos.cluster;

import java.nio.file.Path;

/** A server under test: one node, a process of its own that can be killed. Owned by the thread that runs the test. */
public interface Server extends AutoCloseable {

    /** Catchment or Kafka, for reports. */
    String name();

    String bootstrap();

    long pid();

    /** kill -9. */
    void kill();

    /** Clean stop. */
    void stop();

    /** Returns when the node serves. */
    void start();

    /** The folder its files are in. */
    Path directory();

    /** Kills it and deletes its files. */
    @Override
    void close();
}
