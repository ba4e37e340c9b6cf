package io.catchment.chaos.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

/** Something to measure on either contender. */
interface Workload {

    String name();

    /** Left out where there is one node of each. */
    default boolean needsSeveralNodes() {
        return false;
    }

    /**
     * One run; cleans up after itself.
     *
     * @param topic a fresh name
     */
    Map<String, Double> run(Contender contender, String topic, Path scratch) throws IOException, InterruptedException;
}
