package io.catchment.objectstore.contract;

import io.catchment.objectstore.ObjectStore;
import io.catchment.objectstore.file.DirectoryStore;
import io.netty.buffer.ByteBufAllocator;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

class DirectoryStoreContractTest extends ObjectStoreContract {
    @TempDir
    Path directory;

    private ObjectStore store;

    @BeforeEach
    void open() {
        store = new DirectoryStore(directory.resolve("made/by/first/write"), 4, ByteBufAllocator.DEFAULT);
    }

    @AfterEach
    void close() {
        store.close();
    }

    @Override
    ObjectStore store() {
        return store;
    }

    @Override
    String prefix() {
        return "t/";
    }
}
