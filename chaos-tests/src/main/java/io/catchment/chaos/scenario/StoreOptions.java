package io.catchment.chaos.scenario;

import io.catchment.chaos.cluster.DirectoryObjectStore;
import io.catchment.chaos.cluster.ObjectStoreServer;
import io.catchment.chaos.cluster.S3ObjectStore;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import picocli.CommandLine.Option;

/** Which object store a scenario gives the node. */
public final class StoreOptions {
    enum Store {
        file,
        s3
    }

    @Option(
            names = "--store",
            defaultValue = "file",
            description =
                    "${COMPLETION-CANDIDATES}: a directory, or an S3 server started for it. Default: ${DEFAULT-VALUE}")
    private Store store = Store.file;

    @Option(names = "--set", description = "KEY=VALUE: one more configuration key of the node; repeatable")
    private Map<String, String> settings = new LinkedHashMap<>();

    ObjectStoreServer create(Path scratch) throws IOException {
        return create(scratch, 0);
    }

    /** @param nice of a server's process */
    public ObjectStoreServer create(Path scratch, int nice) throws IOException {
        return store == Store.s3
                ? S3ObjectStore.create(scratch.resolve("s3"), nice)
                : DirectoryObjectStore.create(scratch.resolve("objects"));
    }

    /** What was asked for goes over what the scenario wants. */
    public Map<String, String> settings(Map<String, String> wanted) {
        Map<String, String> all = new LinkedHashMap<>(wanted);
        all.putAll(settings);
        return all;
    }

    public String name() {
        return store.name();
    }
}
