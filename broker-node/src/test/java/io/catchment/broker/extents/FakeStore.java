package io.catchment.broker.extents;

import io.catchment.broker.testing.RuledControlPlane;
import io.catchment.broker.testing.TestProcess;
import io.catchment.controlplane.CommandException;
import io.catchment.wal.CorruptExtentException;
import io.catchment.wal.ExtentDescriptor;
import io.catchment.wal.FrameEntry;
import io.catchment.wal.RecoveryReport;
import io.catchment.wal.StoreRef;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

/**
 * One store in memory that outlives its process, which recovers through the real registry. A test says which extents it has, which are damaged, and which
 * work hangs. Owned by the test's thread.
 */
final class FakeStore implements LocalStore {
    enum Copy {
        OPEN,
        UNSETTLED,
        CORRUPT,
        /** The disk fails to read it. */
        UNREADABLE,
        SETTLED
    }

    final Map<Long, Copy> copies = new TreeMap<>();
    final List<Long> deleted = new ArrayList<>();
    final List<Long> settleCalls = new ArrayList<>();
    final List<Long> recoverCalls = new ArrayList<>();
    final List<List<StoreRef>> repairSources = new ArrayList<>();
    /** What recovery has to wait for, by extent. */
    final Map<Long, RecoveryReport.Waiting> waits = new HashMap<>();

    /** By extent. */
    final Map<Long, List<FrameEntry>> frames = new HashMap<>();

    /** They are settled in memory, and then their disk fails to record it. */
    final Set<Long> unwritable = new HashSet<>();

    final Set<Long> hanging = new HashSet<>();
    final Set<StoreRef> unreachable = new HashSet<>();
    /** What a recovery finds. */
    long recoveredLength = 5_000;

    List<StoreRef> recoveredHolders = List.of();
    private final StoreRef self;
    private final RuledControlPlane control;
    private final List<Runnable> hung = new ArrayList<>();
    private TestProcess process;
    private WalControl registry;

    FakeStore(StoreRef self, RuledControlPlane control, TestProcess process, WalControl registry) {
        this.self = self;
        this.control = control;
        this.process = process;
        this.registry = registry;
    }

    void process(TestProcess next, WalControl nextRegistry) {
        process = next;
        registry = nextRegistry;
        hung.clear();
        copies.replaceAll((id, copy) -> copy == Copy.OPEN ? Copy.UNSETTLED : copy);
    }

    void release() {
        List<Runnable> now = List.copyOf(hung);
        hung.clear();
        hanging.clear();
        now.forEach(Runnable::run);
    }

    @Override
    public StoreRef self() {
        return self;
    }

    @Override
    public List<Long> extents() {
        return List.copyOf(copies.keySet());
    }

    @Override
    public List<Long> unsettled() {
        return copies.keySet().stream()
                .filter(id -> copies.get(id) == Copy.UNSETTLED
                        || copies.get(id) == Copy.CORRUPT
                        || copies.get(id) == Copy.UNREADABLE)
                .toList();
    }

    @Override
    public List<FrameEntry> index(long extentId, long streamId) {
        return frames.getOrDefault(extentId, List.of()).stream()
                .filter(frame -> frame.streamId() == streamId)
                .toList();
    }

    @Override
    public CompletionStage<Void> settle(long extentId, long length) {
        settleCalls.add(extentId);
        return process.later(1, answer -> {
            if (copies.get(extentId) == Copy.CORRUPT) {
                answer.completeExceptionally(new CorruptExtentException("injected: valid only up to 4096", 4096));
            } else if (copies.get(extentId) == Copy.UNREADABLE) {
                answer.completeExceptionally(new IOException("injected: Input/output error"));
            } else if (unwritable.contains(extentId)) {
                copies.put(extentId, Copy.SETTLED);
                answer.completeExceptionally(new IOException("injected: Read-only file system"));
            } else {
                copies.put(extentId, Copy.SETTLED);
                answer.complete(null);
            }
        });
    }

    @Override
    public CompletionStage<Void> verify(long extentId, long length) {
        return settle(extentId, length);
    }

    @Override
    public CompletionStage<Void> delete(long extentId) {
        copies.remove(extentId);
        deleted.add(extentId);
        return process.later(1, answer -> answer.complete(null));
    }

    @Override
    public CompletionStage<RecoveryReport> recover(ExtentDescriptor extent) {
        long id = extent.extentId();
        recoverCalls.add(id);
        return registry.startRecovery(id)
                .thenCompose(epoch -> hangs(id, () -> {
                    RecoveryReport.Waiting waiting = waits.get(id);
                    if (waiting != null) {
                        return CompletableFuture.completedStage(new RecoveryReport(List.of(), List.of(waiting)));
                    }
                    List<StoreRef> holders = recoveredHolders.isEmpty() ? extent.ensemble() : recoveredHolders;
                    return registry.seal(id, recoveredLength, holders)
                            .thenApply(done -> new RecoveryReport(
                                    List.of(new RecoveryReport.Sealed(id, recoveredLength, holders)), List.of()));
                }))
                .exceptionally(failure -> {
                    assertRefusal(failure);
                    return new RecoveryReport(
                            List.of(),
                            List.of(new RecoveryReport.Waiting(
                                    id,
                                    List.of(),
                                    false,
                                    "it is not this node's to recover: " + failure.getMessage())));
                });
    }

    private static void assertRefusal(Throwable failure) {
        Throwable cause = failure.getCause() == null ? failure : failure.getCause();
        if (!(cause instanceof io.catchment.wal.ExtentRegistry.FencedException)
                && !(cause instanceof CommandException)) {
            throw new AssertionError(cause);
        }
    }

    @Override
    public CompletionStage<Long> declareLost(ExtentDescriptor extent) {
        return registry.startRecovery(extent.extentId())
                .thenCompose(epoch -> registry.seal(extent.extentId(), 0, extent.ensemble()))
                .thenApply(done -> 0L);
    }

    @Override
    public CompletionStage<Void> repair(ExtentDescriptor extent, long length, List<StoreRef> holders) {
        repairSources.add(holders);
        return hangs(
                extent.extentId(),
                () -> process.later(5, answer -> {
                    if (holders.stream().allMatch(unreachable::contains)) {
                        answer.completeExceptionally(new IOException("injected: no holder answers"));
                    } else {
                        copies.put(extent.extentId(), Copy.SETTLED);
                        answer.complete(null);
                    }
                }));
    }

    private <T> CompletionStage<T> hangs(long extentId, Supplier<CompletionStage<T>> work) {
        if (!hanging.contains(extentId)) {
            return work.get();
        }
        CompletableFuture<T> answer = new CompletableFuture<>();
        TestProcess mine = process;
        hung.add(() -> {
            if (mine.alive()) {
                work.get().whenComplete((value, failure) -> {
                    if (failure == null) {
                        answer.complete(value);
                    } else {
                        answer.completeExceptionally(failure);
                    }
                });
            }
        });
        return answer;
    }
}
