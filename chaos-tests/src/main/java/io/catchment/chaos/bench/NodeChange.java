package io.catchment.chaos.bench;

import io.catchment.chaos.nodes.NodeChanges;
import io.catchment.chaos.workload.Topics;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * A node that dies, is replaced, or comes and goes, in a cluster that has taken so many bytes before.
 *
 * @param bytes produced beforehand, by the stock perf tool; Catchment flushes them
 */
record NodeChange(String name, Kind kind, int partitions, int recordsPerSecond, long bytes) implements Workload {
    enum Kind {
        LOSS,
        REPLACEMENT,
        ADDITION
    }

    @Override
    public boolean needsSeveralNodes() {
        return true;
    }

    @Override
    public Map<String, Double> run(Contender contender, String topic, Path scratch)
            throws IOException, InterruptedException {
        String filled = topic + "-fill";
        if (bytes > 0) {
            new Produce(filled, 1024, 12, 1, 5, 65_536, false, 0, bytes).fill(contender, filled, scratch);
            contender.settle();
        }
        // another victim from run to run; both contenders get the same
        List<Integer> nodes = contender.cluster().nodes();
        int victim = nodes.get(Math.floorMod(topic.hashCode(), nodes.size()));
        var changes = new NodeChanges(contender.cluster(), topic, partitions, recordsPerSecond, topic.hashCode());
        Map<String, Double> figures =
                switch (kind) {
                    case LOSS -> changes.loss(victim);
                    case REPLACEMENT -> changes.replacement(victim);
                    case ADDITION -> changes.addition();
                };
        if (bytes > 0) {
            Topics.delete(contender.bootstrap(), filled);
        }
        return figures;
    }
}
