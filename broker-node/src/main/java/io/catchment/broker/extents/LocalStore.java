package io.catchment.broker.extents;

import io.catchment.wal.ExtentDescriptor;
import io.catchment.wal.FrameEntry;
import io.catchment.wal.RecoveryReport;
import io.catchment.wal.StoreRef;
import io.catchment.wal.node.LocalWal;
import java.util.List;
import java.util.concurrent.CompletionStage;

/** What the keeper asks of this node's WAL; see {@link io.catchment.wal.Wal} and {@link LocalWal}. Nothing here blocks, but for {@link #index}, which may read what its extent has on disk. */
interface LocalStore {
    StoreRef self();

    List<Long> extents();

    List<Long> unsettled();

    List<FrameEntry> index(long extentId, long streamId);

    CompletionStage<Void> settle(long extentId, long length);

    CompletionStage<Void> verify(long extentId, long length);

    CompletionStage<Void> delete(long extentId);

    CompletionStage<RecoveryReport> recover(ExtentDescriptor extent);

    CompletionStage<Long> declareLost(ExtentDescriptor extent);

    CompletionStage<Void> repair(ExtentDescriptor extent, long length, List<StoreRef> holders);

    static LocalStore of(LocalWal wal) {
        return new LocalStore() {
            @Override
            public StoreRef self() {
                return wal.localStore();
            }

            @Override
            public List<Long> extents() {
                return wal.extents();
            }

            @Override
            public List<Long> unsettled() {
                return wal.unsettled();
            }

            @Override
            public List<FrameEntry> index(long extentId, long streamId) {
                return wal.index(extentId, streamId);
            }

            @Override
            public CompletionStage<Void> settle(long extentId, long length) {
                return wal.settle(extentId, length);
            }

            @Override
            public CompletionStage<Void> verify(long extentId, long length) {
                return wal.verify(extentId, length);
            }

            @Override
            public CompletionStage<Void> delete(long extentId) {
                return wal.delete(extentId);
            }

            @Override
            public CompletionStage<RecoveryReport> recover(ExtentDescriptor extent) {
                return wal.recover(List.of(extent));
            }

            @Override
            public CompletionStage<Long> declareLost(ExtentDescriptor extent) {
                return wal.declareLost(extent);
            }

            @Override
            public CompletionStage<Void> repair(ExtentDescriptor extent, long length, List<StoreRef> holders) {
                return wal.repair(extent, length, holders);
            }
        };
    }
}
