package io.catchment.broker.share;

import io.catchment.broker.fetch.PartitionLookup;
import io.catchment.broker.loop.SerialLoop;
import io.catchment.broker.partition.PartitionView;
import io.catchment.broker.share.partition.PersistedState;
import io.catchment.broker.share.partition.SharePartition;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BiFunction;
import java.util.function.Predicate;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.coordinator.group.ShareGroupAutoOffsetResetStrategy;
import org.apache.kafka.server.share.persister.Persister;
import org.jspecify.annotations.Nullable;

/**
 * The share partitions that this node has, each while it owns the stream and a member of the group has a session here. Owned by the share loop.
 */
final class SharePartitions {
    private final PartitionLookup lookup;
    private final Persister persister;
    private final GroupRules rules;
    private final SerialLoop loop;
    private final Predicate<String> isEmpty;
    private final BiFunction<PartitionView, Long, CompletionStage<Long>> firstAtOrAfter;
    private final Map<String, Map<Key, OpenShare>> groups = new HashMap<>();

    private record Key(Uuid topicId, int partition) {}

    /** @param error NONE when there is an {@code open} one */
    record Outcome(@Nullable OpenShare open, Errors error) {}

    /**
     * @param isEmpty whether a group has no session here
     * @param firstAtOrAfter where a partition's records of some time begin
     */
    SharePartitions(
            PartitionLookup lookup,
            Persister persister,
            GroupRules rules,
            SerialLoop loop,
            Predicate<String> isEmpty,
            BiFunction<PartitionView, Long, CompletionStage<Long>> firstAtOrAfter) {
        this.lookup = lookup;
        this.persister = persister;
        this.rules = rules;
        this.loop = loop;
        this.isEmpty = isEmpty;
        this.firstAtOrAfter = firstAtOrAfter;
    }

    /** For delivery: the present one, or a new one that begins to load. */
    Outcome open(String group, TopicIdPartition wanted) {
        OpenShare present = present(group, wanted);
        if (present != null && present.view().serving()) {
            return new Outcome(present, Errors.NONE);
        }
        PartitionView view = lookup.serving(null, wanted.topicId(), wanted.partition());
        if (view == null) {
            return new Outcome(null, lookup.missing(null, wanted.topicId(), wanted.partition()));
        }
        OpenShare opened = new OpenShare(view, loop, self -> create(group, view, self));
        groups.computeIfAbsent(group, name -> new HashMap<>())
                .put(new Key(wanted.topicId(), wanted.partition()), opened);
        view.watch(opened);
        opened.partition().load(() -> beginning(group, view));
        return new Outcome(opened, Errors.NONE);
    }

    /** For acknowledgements: who has no records of it has nothing to say. */
    Outcome find(String group, TopicIdPartition wanted) {
        OpenShare present = present(group, wanted);
        if (present != null) {
            return new Outcome(present, Errors.NONE);
        }
        return new Outcome(
                null,
                lookup.serving(null, wanted.topicId(), wanted.partition()) != null
                        ? Errors.INVALID_RECORD_STATE
                        : lookup.missing(null, wanted.topicId(), wanted.partition()));
    }

    private @Nullable OpenShare present(String group, TopicIdPartition wanted) {
        OpenShare present = groups.getOrDefault(group, Map.of()).get(new Key(wanted.topicId(), wanted.partition()));
        if (present != null && !present.view().owned()) {
            present.partition()
                    .end(Errors.NOT_LEADER_OR_FOLLOWER.exception(
                            present.view().topicPartition() + " is not served by this node any more"));
            return null;
        }
        return present;
    }

    private SharePartition create(String group, PartitionView view, OpenShare open) {
        return new SharePartition(
                group + "/" + view.topicPartition(),
                view.leaderEpoch(),
                new PersistedState(
                        persister, group, view.topicId(), view.topicPartition().partition()),
                () -> rules.limits(group),
                loop,
                new SharePartition.Listener() {
                    @Override
                    public void changed(SharePartition partition) {
                        dropIfUnused(group, partition);
                        open.wake();
                    }

                    @Override
                    public void ended(SharePartition partition) {
                        forget(group, open);
                        open.wake();
                    }
                });
    }

    private CompletionStage<Long> beginning(String group, PartitionView view) {
        ShareGroupAutoOffsetResetStrategy strategy = rules.beginning(group);
        return switch (strategy.type()) {
            case EARLIEST -> CompletableFuture.completedFuture(view.logStartOffset());
            case LATEST -> CompletableFuture.completedFuture(view.highWatermark());
            case BY_DURATION -> firstAtOrAfter.apply(view, strategy.timestamp());
        };
    }

    /** A member's session is over. */
    void release(String group, String member) {
        for (OpenShare open : all(group)) {
            open.partition().release(member);
            dropIfUnused(group, open.partition());
        }
    }

    /** A group without members here may begin anew elsewhere, and nobody would tell. */
    private void dropIfUnused(String group, SharePartition partition) {
        if (isEmpty.test(group) && partition.isSettled()) {
            partition.end(unused());
        }
    }

    private static ApiException unused() {
        return Errors.SHARE_SESSION_NOT_FOUND.exception("The group has no session here");
    }

    private void forget(String group, OpenShare open) {
        open.view().unwatch(open);
        groups.computeIfPresent(group, (name, partitions) -> {
            partitions.values().removeIf(each -> each == open);
            return partitions.isEmpty() ? null : partitions;
        });
    }

    private List<OpenShare> all(String group) {
        return new ArrayList<>(groups.getOrDefault(group, Map.of()).values());
    }
}
