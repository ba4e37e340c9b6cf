package io.catchment.objectstore.contract;

import io.catchment.objectstore.ObjectStore;
import io.catchment.objectstore.testing.MemoryStore;

/** The fake that other tests build on keeps the same contract. */
class MemoryStoreContractTest extends ObjectStoreContract {
    private final MemoryStore store = new MemoryStore();

    @Override
    ObjectStore store() {
        return store;
    }

    @Override
    String prefix() {
        return "t/";
    }
}
