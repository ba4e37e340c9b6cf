package io.catchment.objectstore.contract;

import io.catchment.objectstore.ObjectStore;
import io.catchment.objectstore.open.BareStores;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.testcontainers.junit.jupiter.Container;
import org.testcontainers.junit.jupiter.Testcontainers;
import org.testcontainers.localstack.LocalStackContainer;
import org.testcontainers.utility.DockerImageName;

/** The S3 store against LocalStack, where Docker is. Later images need a token. */
@Testcontainers(disabledWithoutDocker = true)
class LocalStackContractTest extends ObjectStoreContract {
    private static final String BUCKET = "contract";

    @Container
    private static final LocalStackContainer SERVER =
            new LocalStackContainer(DockerImageName.parse("localstack/localstack:4.14.0")).withServices("s3");

    private static ObjectStore store;
    private final String prefix = UUID.randomUUID() + "/";

    @BeforeAll
    static void open() throws Exception {
        SERVER.execInContainer("awslocal", "s3", "mb", "s3://" + BUCKET);
        store = BareStores.open(
                "s3://" + BUCKET + "/?endpoint=" + SERVER.getEndpoint() + "&region=" + SERVER.getRegion()
                        + "&access-key-id=" + SERVER.getAccessKey() + "&secret-access-key=" + SERVER.getSecretKey());
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
