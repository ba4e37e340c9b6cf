package io.catchment.broker.node;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/** Three whole nodes in this process, each with all roles. */
final class LocalCluster {
    private LocalCluster() {}

    /** @param common settings of all of them */
    static List<Map<String, String>> three(Map<String, String> common) throws IOException {
        List<Integer> ports = LocalNode.freePorts(9);
        String controllers = "127.0.0.1:" + ports.get(0) + ",127.0.0.1:" + ports.get(1) + ",127.0.0.1:" + ports.get(2);
        List<Map<String, String>> three = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            Map<String, String> settings = new TreeMap<>(common);
            settings.put("node.id", Integer.toString(i + 1));
            settings.put("controller.quorum.bootstrap.servers", controllers);
            settings.put(
                    "listeners",
                    "PLAINTEXT://127.0.0.1:" + ports.get(3 + i) + ",WAL://127.0.0.1:" + ports.get(6 + i)
                            + ",CONTROLLER://127.0.0.1:" + ports.get(i));
            three.add(settings);
        }
        return three;
    }

    /**
     * At once: the first one that is empty waits for the others.
     *
     * @param directory has a folder for each, named by its id
     */
    static List<LocalNode> startAll(Path directory, List<Map<String, String>> settings, List<Integer> ids)
            throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(ids.size());
        try {
            List<Future<LocalNode>> starts = ids.stream()
                    .map(id -> threads.submit(
                            () -> LocalNode.start(directory.resolve(id.toString()), settings.get(id - 1))))
                    .toList();
            List<LocalNode> nodes = new ArrayList<>();
            for (Future<LocalNode> start : starts) {
                nodes.add(start.get(60, TimeUnit.SECONDS));
            }
            return nodes;
        } finally {
            threads.shutdownNow();
        }
    }

    static void closeAll(List<LocalNode> nodes) {
        CompletableFuture.allOf(nodes.stream()
                        .map(node -> CompletableFuture.runAsync(node::close))
                        .toArray(CompletableFuture[]::new))
                .join();
    }
}
