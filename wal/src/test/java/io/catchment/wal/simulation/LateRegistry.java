package io.catchment.wal.simulation;

import io.catchment.wal.ExtentDescriptor;
import io.catchment.wal.ExtentRegistry;
import io.catchment.wal.Lane;
import io.catchment.wal.StoreRef;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** The registry's client exists only once the store id is known. */
final class LateRegistry implements ExtentRegistry {
    @Nullable
    ExtentRegistry client;

    private ExtentRegistry client() {
        ExtentRegistry now = client;
        if (now == null) {
            throw new IllegalStateException("not registered yet");
        }
        return now;
    }

    @Override
    public CompletionStage<ExtentDescriptor> create(Lane lane) {
        return client().create(lane);
    }

    @Override
    public CompletionStage<ExtentDescriptor> create(Lane lane, Set<StoreRef> avoid) {
        return client().create(lane, avoid);
    }

    @Override
    public CompletionStage<List<StoreRef>> standIns(ExtentDescriptor extent) {
        return client().standIns(extent);
    }

    @Override
    public CompletionStage<Void> seal(long extentId, long length, List<StoreRef> holders) {
        return client().seal(extentId, length, holders);
    }

    @Override
    public CompletionStage<Long> startRecovery(long extentId) {
        return client().startRecovery(extentId);
    }
}
