package io.catchment.broker.coordinatorlog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.catchment.broker.testing.FakeControlPlane;
import io.catchment.broker.testing.FakeDirectory;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.Command;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class HostedCoordinatorTest {
    private final FakeControlPlane controlPlane = new FakeControlPlane().withNode(1, "PLAINTEXT");
    private final List<String> told = new CopyOnWriteArrayList<>();
    private final HostedCoordinator hosted = new HostedCoordinator(
            "state",
            new Tenures(new FakeDirectory()),
            new HostedCoordinator.Service(
                    partitions -> told.add("startup with " + partitions.getAsInt()),
                    (partition, epoch) -> told.add("elected for " + partition + " in " + epoch),
                    (partition, epoch) -> told.add("resigned from " + partition),
                    () -> told.add("shutdown")),
            new ImageFeed(
                    "hosted-test-image",
                    (delta, image) -> told.add(
                            "image with " + image.topics().topicsByName().size() + " topics")));

    @AfterEach
    void close() {
        hosted.close();
    }

    @Test
    void whatComesBeforeTheStartIsKeptForIt() {
        ClusterImage early = controlPlane.image();
        controlPlane.subscribe(hosted::onImage);
        createTopic("late");
        hosted.onPartitionOpened(2, 7);
        hosted.onPartitionOpened(0, 5);
        hosted.onPartitionOpened(1, 3);
        hosted.onPartitionClosed(1);
        assertThat(told).isEmpty();

        hosted.start(early, () -> 4);
        assertThat(told)
                .containsExactly("startup with 4", "image with 1 topics", "elected for 0 in 5", "elected for 2 in 7");
    }

    @Test
    void onceStartedItIsToldAtOnce() {
        hosted.start(controlPlane.image(), () -> 4);
        told.clear();
        hosted.onPartitionOpened(3, 1);
        hosted.onPartitionClosed(3);
        assertThat(told).containsExactly("elected for 3 in 1", "resigned from 3");
    }

    @Test
    void afterTheEndNothingIsToldAndTheEndComesOnce() {
        hosted.start(controlPlane.image(), () -> 4);
        hosted.close();
        hosted.close();
        told.removeIf(each -> !each.equals("shutdown"));
        hosted.onPartitionOpened(3, 1);
        hosted.onPartitionClosed(3);
        controlPlane.subscribe(hosted::onImage);
        assertThat(told).containsExactly("shutdown");
        assertThatThrownBy(() -> hosted.start(controlPlane.image(), () -> 4)).isInstanceOf(IllegalStateException.class);
    }

    /** Kafka's services leave their threads behind else. */
    @Test
    void oneThatWasNeverStartedIsShutDownToo() {
        hosted.onPartitionOpened(3, 1);
        hosted.close();
        assertThat(told).containsExactly("startup with 1", "shutdown");
    }

    private void createTopic(String name) {
        controlPlane
                .submit(new Command.CreateTopics(List.of(new Command.CreateTopic(name, 1, (short) 1, Map.of())), false))
                .toCompletableFuture()
                .join();
    }
}
