package io.catchment.objectstore.contract;

import io.catchment.objectstore.ObjectStore;
import io.catchment.objectstore.open.BareStores;
import io.catchment.objectstore.testing.EmbeddedS3;
import java.nio.file.Path;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;

/** The S3 store against the server embedded in this process. */
class EmbeddedS3ContractTest extends ObjectStoreContract {
    @TempDir
    static Path directory;

    private static EmbeddedS3 server;
    private static ObjectStore store;
    private final String prefix = UUID.randomUUID() + "/";

    @BeforeAll
    static void start() throws Exception {
        server = EmbeddedS3.start(0, directory);
        store = BareStores.open(server.uri("some/prefix"));
    }

    @AfterAll
    static void stop() {
        store.close();
        server.close();
    }

    @Override
    ObjectStore store() {
        return store;
    }

    @Override
    String prefix() {
        return prefix;
    }
}
