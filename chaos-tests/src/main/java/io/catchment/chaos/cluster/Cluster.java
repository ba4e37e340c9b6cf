package io.catchment.chaos.cluster;

import java.nio.file.Path;
import java.util.Collection;
import java.util.List;

/**
 * A cluster under test: several nodes on this machine, each a process of its own that can be killed, hung, wiped and started again.
 * Owned by the thread that runs the test.
 */
public interface Cluster extends AutoCloseable {

    /** Catchment or Kafka, for reports. */
    String name();

    /** All nodes. */
    String bootstrap();

    /** Numbers of the nodes, ascending. */
    List<Integer> nodes();

    /** Of a node that runs. */
    long pid(int node);

    boolean running(int node);

    /** kill -9. Returns when it is dead. */
    default void kill(int node) {
        kill(List.of(node));
    }

    /** kill -9 of several, as close together as the machine can. */
    void kill(Collection<Integer> nodes);

    /** Clean stop. Returns when it has ended. */
    void stop(int node);

    /** Returns when the node is ready, as long as the others can elect a controller with it. */
    void start(int node);

    /** Starts all that do not run, at the same time; returns when all are ready. */
    void startAll();

    /** SIGSTOP: the process hangs, its connections stay. */
    void pause(int node);

    /** SIGCONT. */
    void resume(int node);

    /** Deletes all data of a node that does not run: it comes back as a new machine of the same number. */
    void wipe(int node);

    /** One more node, which returns when it has its share of what there is; its number. */
    int add();

    /** Takes everything from a node, stops it and forgets it. */
    void remove(int node);

    /** The folder its files are in. */
    Path directory();

    /** Kills all nodes and deletes their files. */
    @Override
    void close();
}
