package io.catchment.wal.replica;

import io.catchment.wal.StoreRef;
import java.util.Optional;

/** Finds the replica behind a store reference. */
public interface Replicas {

    /** Empty if no such store can be reached: its node answers with another store id, or is not known. */
    Optional<Replica> find(StoreRef store);
}
