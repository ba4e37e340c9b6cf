package io.catchment.broker.compaction;

import io.catchment.broker.loop.SerialLoop;
import io.catchment.broker.merge.MergeMeans;
import io.catchment.broker.merge.MergeSettings;
import io.catchment.broker.merge.RewriteStep;
import io.catchment.broker.topic.TopicConfig;
import io.catchment.controlplane.StreamRange;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One compaction of one stream, step by step: the keys of its dirty part are read, as many as the map holds, then all ranges up to there are
 * written anew without what has a newer record, group by group from the beginning. Owned by the loop.
 *
 * <p>Each group replaces its inputs by a command of its own, so a pass that ends early has done no harm: what a group lost has its newer record
 * further on, in what is not yet cleaned. The cleaner point moves with the last group. A tombstone gets its delete horizon only after all groups
 * before its own were replaced; so when it goes, nothing older of its key is left that would come to light.
 */
final class Pass {
    private static final Logger LOG = LoggerFactory.getLogger(Pass.class);
    /** Of one step's inputs, so many times what a segment has. */
    private static final int INPUT_SEGMENTS_MAX = 4;

    private final MergeMeans means;
    private final MergeSettings merges;
    private final CompactionSettings settings;
    private final CompactionMetrics metrics;
    private final SerialLoop loop;
    private final CleanPlan plan;
    private final TopicConfig config;
    private final long nowMs;
    private final long deleteRetentionMs;
    private final RangeReader reader;

    private @Nullable Transactions transactions;
    private boolean transactionsKnown;
    private DirtyKeys keys;
    private @Nullable Retained retained;
    private int next;
    private long readBytes;
    private long writtenBytes;
    private long removed;
    private boolean failed;
    private boolean stuck;

    Pass(
            MergeMeans means,
            MergeSettings merges,
            CompactionSettings settings,
            CompactionMetrics metrics,
            SerialLoop loop,
            CleanPlan plan,
            TopicConfig config,
            long nowMs,
            long deleteRetentionMs) {
        this.means = means;
        this.merges = merges;
        this.settings = settings;
        this.metrics = metrics;
        this.loop = loop;
        this.plan = plan;
        this.config = config;
        this.nowMs = nowMs;
        this.deleteRetentionMs = deleteRetentionMs;
        this.reader = new RangeReader(means, loop, plan.streamId());
        this.keys = new DirtyKeys(settings, plan.dirtyOffset(), plan.endOffset(), null);
        this.next = plan.dirtyRange();
    }

    long streamId() {
        return plan.streamId();
    }

    /** A step of it failed: it does not go on. */
    boolean failed() {
        return failed;
    }

    /** It ended without having come any further: a transaction is open, or one batch has more keys than the map holds. */
    boolean stuck() {
        return stuck;
    }

    /** Null when it is over. */
    @Nullable
    RewriteStep next() {
        if (failed) {
            return null;
        }
        if (retained == null) {
            RewriteStep look = nextLook();
            if (look != null) {
                return look;
            }
        }
        Retained filter = retained;
        if (filter == null || next > lastRange()) {
            return null;
        }
        return new GroupStep(filter);
    }

    // ---- what is to be known first

    private @Nullable RewriteStep nextLook() {
        if (transactions != null && !transactionsKnown) {
            if (next < plan.ranges().size()) {
                return new LookStep(plan.ranges().get(next++), transactions);
            }
            transactionsKnown = true;
            next = plan.dirtyRange();
            long end = transactions.stableEnd();
            if (end <= plan.dirtyOffset()) {
                stuck = true;
                return null;
            }
            keys = new DirtyKeys(settings, plan.dirtyOffset(), end, transactions);
        }
        if (keys.transactionsMissing()) {
            transactions = new Transactions(plan.endOffset());
            next = plan.dirtyRange();
            return nextLook();
        }
        if (next < plan.ranges().size() && !keys.ended()) {
            return new LookStep(plan.ranges().get(next++), keys);
        }
        if (keys.knownTo() <= plan.dirtyOffset()) {
            if (keys.full()) {
                LOG.error(
                        "Stream {} is not compacted: log.cleaner.dedupe.buffer.size has no room for a single key",
                        streamId());
            }
            stuck = true;
            return null;
        }
        Transactions known = transactions == null ? Transactions.none(plan.endOffset()) : transactions;
        retained = new Retained(keys.map(), known.metadata(), nowMs, deleteRetentionMs);
        next = 0;
        return null;
    }

    /** The range that holds the last known offset. */
    private int lastRange() {
        int last = plan.ranges().size() - 1;
        while (plan.ranges().get(last).baseOffset() >= keys.knownTo()) {
            last--;
        }
        return last;
    }

    private final class LookStep implements RewriteStep {
        private final StreamRange range;
        private final RangeReader.Taker taker;

        LookStep(StreamRange range, RangeReader.Taker taker) {
            this.range = range;
            this.taker = taker;
        }

        @Override
        public CompletionStage<Long> start() {
            return reader.read(range, taker).whenComplete((bytes, failure) -> read(bytes));
        }

        @Override
        public Set<Long> readWhole() {
            return Set.of();
        }

        @Override
        public void abandon() {
            // Nothing is held
        }

        @Override
        public String toString() {
            return "compaction of stream " + streamId();
        }
    }

    /** Null: it failed. */
    private void read(@Nullable Long bytes) {
        if (bytes == null) {
            failed = true;
            metrics.failed();
        } else {
            readBytes += bytes;
            metrics.read(bytes);
        }
    }

    // ---- group by group

    private final class GroupStep implements RewriteStep {
        private final CompactedGroup group;
        private final CompletableFuture<Long> done = new CompletableFuture<>();

        GroupStep(Retained filter) {
            this.group = new CompactedGroup(means.allocator(), streamId(), filter);
        }

        @Override
        public CompletionStage<Long> start() {
            readNext();
            return done;
        }

        private void readNext() {
            StreamRange range = plan.ranges().get(next);
            group.begin(range);
            reader.read(range, group::take).whenComplete((bytes, failure) -> {
                read(bytes);
                if (failure != null) {
                    fail(failure);
                    return;
                }
                next++;
                try {
                    if (isFull()) {
                        replace();
                    } else {
                        readNext();
                    }
                } catch (RuntimeException | OutOfMemoryError e) {
                    fail(e);
                }
            });
        }

        private boolean isLast() {
            return next > lastRange();
        }

        /** With the next range it might be longer than an object may be, or take too long, or be deleted too late. */
        private boolean isFull() {
            if (isLast()) {
                return true;
            }
            StreamRange last = plan.ranges().get(next - 1);
            StreamRange another = plan.ranges().get(next);
            long more = another.length();
            return group.outputBytes() + more > merges.outputBytesMax()
                    || group.inputBytes() + more > INPUT_SEGMENTS_MAX * merges.segmentBytes()
                    || !CleanPlan.mayBeJoined(last, another, config);
        }

        private void replace() {
            if (group.isUnchanged() && !isLast()) {
                group.close();
                done.complete(group.inputBytes());
                return;
            }
            Replacement replacement =
                    new Replacement(means, merges.objectTtlMs(), streamId(), group, isLast() ? keys.knownTo() : 0);
            replacement.publish(loop).whenComplete((bytes, failure) -> {
                if (failure != null) {
                    fail(failure);
                    return;
                }
                group.close();
                writtenBytes += bytes;
                removed += group.removed();
                metrics.written(group.inputs().size(), bytes, group.removed());
                if (isLast()) {
                    passed();
                }
                done.complete(Math.max(bytes, group.inputBytes()));
            });
        }

        private void fail(Throwable failure) {
            if (!failed) {
                failed = true;
                metrics.failed();
            }
            group.close();
            done.completeExceptionally(failure);
        }

        @Override
        public Set<Long> readWhole() {
            return isLast() ? Set.of(streamId()) : Set.of();
        }

        @Override
        public void abandon() {
            group.close();
        }

        @Override
        public String toString() {
            return "compaction of stream " + streamId();
        }
    }

    private void passed() {
        metrics.passed();
        LOG.info(
                "Compacted {}-{} to offset {}: {} bytes read, {} written, {} records removed",
                plan.stream().topic(),
                plan.stream().partition(),
                keys.knownTo(),
                readBytes,
                writtenBytes,
                removed);
    }
}
