package io.catchment.broker.group;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.group.api.GroupApis;
import io.catchment.broker.request.ApiHandler;
import io.catchment.broker.testing.FakeControlPlane;
import io.catchment.broker.testing.FakeRequest;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.TopicState;
import java.time.Duration;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.AbstractRequest;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.server.share.persister.NoOpStatePersister;
import org.apache.kafka.server.util.PartitionMetadataClient;

/**
 * One node's group coordinator with its handlers, the real one, over partitions and a control plane in memory. Requests and
 * responses go through their bytes, as over a socket.
 */
final class GroupFixture implements AutoCloseable {
    static final String OFFSETS = Topic.GROUP_METADATA_TOPIC_NAME;
    static final Duration DEADLINE = Duration.ofSeconds(30);

    final FakeControlPlane controlPlane = new FakeControlPlane().withNode(1, "PLAINTEXT");
    final FakePartitions partitions = new FakePartitions();
    GroupCoordinatorHost host;
    private final Map<String, String> properties = new HashMap<>();
    private Map<ApiKeys, ApiHandler> handlers = Map.of();

    private GroupFixture(Map<String, String> overrides) {
        properties.put("offsets.topic.num.partitions", "3");
        properties.put("group.initial.rebalance.delay.ms", "0");
        properties.put("group.min.session.timeout.ms", "100");
        properties.put("group.coordinator.threads", "2");
        properties.putAll(overrides);
        host = newHost();
        controlPlane.subscribe((delta, image) -> host.onImage(delta, image));
    }

    /** With the offsets topic created, all its partitions open here, and loaded. */
    static GroupFixture running(Map<String, String> overrides) {
        GroupFixture fixture = notStarted(overrides);
        fixture.createTopic(
                OFFSETS, Integer.parseInt(fixture.properties.getOrDefault("offsets.topic.num.partitions", "3")));
        fixture.host.start(fixture.controlPlane.image());
        fixture.openOffsetsPartitions();
        fixture.awaitLoaded();
        return fixture;
    }

    static GroupFixture running() {
        return running(Map.of());
    }

    static GroupFixture notStarted(Map<String, String> overrides) {
        return new GroupFixture(overrides);
    }

    private GroupCoordinatorHost newHost() {
        GroupCoordinatorHost built = new GroupCoordinatorHost(
                1,
                GroupSettings.of(properties),
                controlPlane::image,
                topic -> controlPlane
                        .submit(new Command.CreateTopics(List.of(topic), false))
                        .thenApply(created -> created.get(0)),
                partitions,
                partitions,
                partitions,
                new NoOpStatePersister(),
                new NoOffsets(),
                Time.SYSTEM);
        handlers = new EnumMap<>(ApiKeys.class);
        for (ApiHandler handler : GroupApis.handlers(
                built.coordinator(),
                built.offsetsTopic(),
                (id, listener) -> Optional.empty(),
                topics -> Map.of(),
                (key, listener) -> Optional.empty(),
                controlPlane::image)) {
            handlers.put(handler.api(), handler);
        }
        return built;
    }

    /** For groups of other kinds than share groups. */
    private static final class NoOffsets implements PartitionMetadataClient {
        @Override
        public Map<TopicPartition, CompletableFuture<OffsetResponse>> listLatestOffsets(Set<TopicPartition> asked) {
            throw new AssertionError("asked for the offsets of " + asked);
        }

        @Override
        public void close() {}
    }

    Map<ApiKeys, ApiHandler> handlers() {
        return handlers;
    }

    Uuid createTopic(String name, int count) {
        return controlPlane
                .submit(new Command.CreateTopics(
                        List.of(new Command.CreateTopic(name, count, (short) 1, Map.of())), false))
                .toCompletableFuture()
                .join()
                .get(0)
                .topicId();
    }

    void deleteTopic(String name) {
        Uuid id = controlPlane.image().topic(name).orElseThrow().topicId();
        var unused = controlPlane
                .submit(new Command.DeleteTopics(List.of(id)))
                .toCompletableFuture()
                .join();
    }

    void openOffsetsPartitions() {
        TopicState topic = controlPlane.image().topic(OFFSETS).orElseThrow();
        for (int partition = 0; partition < topic.streams().size(); partition++) {
            partitions.put(new FakePartition(
                    new TopicPartition(OFFSETS, partition),
                    topic.topicId(),
                    topic.streams().get(partition),
                    0));
            host.onPartitionOpened(partition, 0);
        }
    }

    /** As when ownership is lost and won again: nothing of the coordinator's memory survives. */
    void reopen(int partition) {
        FakePartition old = partitions.get(OFFSETS, partition);
        closePartition(partition);
        FakePartition next = old.reopened();
        partitions.put(next);
        host.onPartitionOpened(partition, next.leaderEpoch());
    }

    void closePartition(int partition) {
        FakePartition old = partitions.get(OFFSETS, partition);
        partitions.remove(OFFSETS, partition);
        host.onPartitionClosed(partition);
        old.close();
    }

    /** As when the process ends and starts again on the same streams. */
    void restart() {
        host.close();
        host = newHost();
        host.start(controlPlane.image());
        TopicState topic = controlPlane.image().topic(OFFSETS).orElseThrow();
        for (int partition = 0; partition < topic.streams().size(); partition++) {
            FakePartition next = partitions.get(OFFSETS, partition).reopened();
            partitions.put(next);
            host.onPartitionOpened(partition, next.leaderEpoch());
        }
        awaitLoaded();
    }

    int partitionOf(String group) {
        return host.coordinator().partitionFor(group);
    }

    FakePartition logOf(String group) {
        return partitions.get(OFFSETS, partitionOf(group));
    }

    /** Every partition answers for a group of its own; ListGroups would miss one between unload and load. */
    void awaitLoaded() {
        GroupClient client = new GroupClient(this);
        int count = controlPlane.image().topic(OFFSETS).orElseThrow().streams().size();
        for (int partition = 0; partition < count; partition++) {
            String group = groupIn(partition);
            await(() -> client.fetchError(group) == Errors.NONE, "partition loads: " + partition);
        }
    }

    /** A group that lives in the partition. */
    String groupIn(int partition) {
        int number = 0;
        while (partitionOf("in-" + partition + "-" + number) != partition) {
            number++;
        }
        return "in-" + partition + "-" + number;
    }

    CompletableFuture<AbstractResponse> send(AbstractRequest request) {
        ApiHandler handler = handlers.get(request.apiKey());
        if (handler == null) {
            throw new AssertionError("no handler for " + request.apiKey());
        }
        return FakeRequest.sent(handler, request, "PLAINTEXT").pending();
    }

    <T extends AbstractResponse> T call(Class<T> type, AbstractRequest request) {
        try {
            return type.cast(send(request).get(DEADLINE.toMillis(), TimeUnit.MILLISECONDS));
        } catch (Exception e) {
            throw new AssertionError(request.apiKey() + " v" + request.version() + " was not answered", e);
        }
    }

    static void await(Supplier<Boolean> condition, String what) {
        long endNanos = System.nanoTime() + DEADLINE.toNanos();
        while (!condition.get()) {
            assertThat(System.nanoTime()).as("deadline for: " + what).isLessThan(endNanos);
            Thread.onSpinWait();
            try {
                TimeUnit.MILLISECONDS.sleep(2);
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
    }

    @Override
    public void close() {
        host.close();
        controlPlane.close();
    }
}
