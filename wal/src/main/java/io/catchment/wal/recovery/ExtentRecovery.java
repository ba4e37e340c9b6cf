package io.catchment.wal.recovery;

import io.catchment.wal.ExtentDescriptor;
import io.catchment.wal.ExtentRegistry;
import io.catchment.wal.RecoveryReport;
import io.catchment.wal.RecoveryReport.Sealed;
import io.catchment.wal.RecoveryReport.Waiting;
import io.catchment.wal.StoreRef;
import io.catchment.wal.loop.Backoff;
import io.catchment.wal.loop.Loop;
import io.catchment.wal.replica.Replicas;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Decides the final lengths of extents whose writer is gone (DESIGN §5 "Recovery"), all of them in parallel. Thread-safe. */
public final class ExtentRecovery {
    private static final Logger LOG = LoggerFactory.getLogger(ExtentRecovery.class);

    private final ExtentRegistry registry;
    private final Replicas replicas;
    private final Replicas timely;
    private final Loop loop;
    private final Supplier<Backoff> backoffs;
    private final LengthRule rule;

    /**
     * @param localStore this node's own: where there are others to go to, its disk is waited for as long as it gives an answer every
     *     {@code localMsMax}
     * @param loop owns the runs under way
     */
    public ExtentRecovery(
            ExtentRegistry registry,
            Replicas replicas,
            StoreRef localStore,
            long localMsMax,
            Loop loop,
            Supplier<Backoff> backoffs,
            LengthRule rule) {
        this.registry = registry;
        this.replicas = replicas;
        this.timely = new TimelyLocal(replicas, localStore, localMsMax, loop);
        this.loop = loop;
        this.backoffs = backoffs;
        this.rule = rule;
    }

    /** See {@link io.catchment.wal.Wal#recover}. */
    public CompletionStage<RecoveryReport> recover(List<ExtentDescriptor> extents) {
        List<CompletableFuture<RecoveryOutcome>> runs =
                extents.stream().map(extent -> run(extent, false)).toList();
        return CompletableFuture.allOf(runs.toArray(CompletableFuture<?>[]::new))
                .thenApply(all -> {
                    List<Sealed> sealed = new ArrayList<>();
                    List<Waiting> waiting = new ArrayList<>();
                    for (CompletableFuture<RecoveryOutcome> run : runs) {
                        RecoveryOutcome outcome = run.join();
                        if (outcome instanceof RecoveryOutcome.Decided decided) {
                            sealed.add(decided.sealed());
                        } else if (outcome instanceof RecoveryOutcome.Undecided undecided) {
                            LOG.debug(
                                    "Extent {} waits: {}",
                                    undecided.waiting().extentId(),
                                    undecided.waiting().reason());
                            waiting.add(undecided.waiting());
                        }
                    }
                    return new RecoveryReport(sealed, waiting);
                });
    }

    /** See {@link io.catchment.wal.Wal#declareLost}. */
    public CompletionStage<Long> declareLost(ExtentDescriptor extent) {
        return run(extent, true).thenApply(outcome -> {
            if (outcome instanceof RecoveryOutcome.Decided decided) {
                LOG.warn(
                        "Extent {} was declared lost and is sealed at {}",
                        extent.extentId(),
                        decided.sealed().length());
                return decided.sealed().length();
            }
            throw new IllegalStateException(
                    "extent " + extent.extentId() + " was declared lost and is still undecided");
        });
    }

    private CompletableFuture<RecoveryOutcome> run(ExtentDescriptor extent, boolean declaredLost) {
        Replicas stores = extent.ensemble().size() > 1 ? timely : replicas;
        return new RecoveryRun(extent, declaredLost, registry, stores, loop, backoffs, rule).start();
    }
}
