package io.catchment.objectstore.contract;

import io.catchment.objectstore.ObjectStore;
import io.catchment.objectstore.open.BareStores;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;

/** The S3 store against the bucket that CATCHMENT_TEST_S3_URI names, where one is given. */
@EnabledIfEnvironmentVariable(named = "CATCHMENT_TEST_S3_URI", matches = "s3://.+")
class GivenS3ContractTest extends ObjectStoreContract {
    private static ObjectStore store;
    private final String prefix = "contract-" + UUID.randomUUID() + "/";

    @BeforeAll
    static void open() {
        store = BareStores.open(System.getenv("CATCHMENT_TEST_S3_URI"));
    }

    @AfterAll
    static void close() {
        store.close();
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
