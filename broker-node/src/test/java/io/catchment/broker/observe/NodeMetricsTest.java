package io.catchment.broker.observe;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.network.CloseReason;
import io.catchment.broker.read.LayeredStreamReader;
import io.catchment.objectstore.cache.ReaderStats;
import io.catchment.objectstore.retry.StoreListener;
import io.catchment.objectstore.transfer.Direction;
import io.catchment.objectstore.transfer.TransferClass;
import io.catchment.objectstore.transfer.TransferScheduler;
import io.catchment.objectstore.transfer.TransferSettings;
import io.catchment.wal.Lane;
import io.catchment.wal.WalStats;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.message.FindCoordinatorResponseData;
import org.apache.kafka.common.message.ProduceResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.FetchResponse;
import org.apache.kafka.common.requests.FindCoordinatorResponse;
import org.apache.kafka.common.requests.ProduceResponse;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What is recorded is what a scrape shows, under the names that dashboards use. */
class NodeMetricsTest {
    private final NodeMetrics metrics = new NodeMetrics();

    @AfterEach
    void close() {
        metrics.close();
    }

    private List<String> lines(String prefix) {
        List<String> result = new ArrayList<>();
        for (String line : metrics.scrape().split("\n", -1)) {
            if (line.startsWith(prefix)) {
                result.add(line);
            }
        }
        return result;
    }

    @Test
    void requestsAreCountedByApi() {
        RequestMetrics requests = metrics.requests();
        ProduceResponseData produce = new ProduceResponseData();
        ProduceResponseData.TopicProduceResponse topic = new ProduceResponseData.TopicProduceResponse();
        topic.partitionResponses().add(new ProduceResponseData.PartitionProduceResponse());
        topic.partitionResponses()
                .add(new ProduceResponseData.PartitionProduceResponse()
                        .setErrorCode(Errors.NOT_LEADER_OR_FOLLOWER.code()));
        produce.responses().add(topic);
        requests.requestReceived(ApiKeys.PRODUCE, 1000);
        requests.requestAnswered(ApiKeys.PRODUCE, new ProduceResponse(produce), 50, 3_000_000);
        requests.requestReceived(ApiKeys.PRODUCE, 1000);
        requests.requestAnswered(ApiKeys.PRODUCE, null, 0, 1_000);
        requests.requestAnswered(
                ApiKeys.FETCH,
                FetchResponse.of(new FetchResponseData().setErrorCode(Errors.FETCH_SESSION_ID_NOT_FOUND.code())),
                20,
                1_000);
        requests.requestAnswered(
                ApiKeys.FIND_COORDINATOR,
                new FindCoordinatorResponse(
                        new FindCoordinatorResponseData().setErrorCode(Errors.COORDINATOR_NOT_AVAILABLE.code())),
                20,
                1_000);
        requests.connectionOpened("PLAINTEXT");
        requests.connectionClosed("PLAINTEXT", CloseReason.BAD_REQUEST);

        assertThat(lines("catchment_request_seconds_count{api=\"Produce\"}"))
                .containsExactly("catchment_request_seconds_count{api=\"Produce\"} 2");
        assertThat(lines("catchment_request_seconds_bucket{api=\"Produce\",le=\"0.005\"}"))
                .containsExactly("catchment_request_seconds_bucket{api=\"Produce\",le=\"0.005\"} 2");
        assertThat(lines("catchment_request_received_bytes_total"))
                .contains("catchment_request_received_bytes_total{api=\"Produce\"} 2000.0");
        assertThat(lines("catchment_request_sent_bytes_total"))
                .contains("catchment_request_sent_bytes_total{api=\"Produce\"} 50.0");
        assertThat(lines("catchment_request_errors_total"))
                .containsExactlyInAnyOrder(
                        "catchment_request_errors_total{api=\"Produce\",error=\"NOT_LEADER_OR_FOLLOWER\"} 1.0",
                        "catchment_request_errors_total{api=\"Fetch\",error=\"FETCH_SESSION_ID_NOT_FOUND\"} 1.0",
                        "catchment_request_errors_total{api=\"FindCoordinator\",error=\"COORDINATOR_NOT_AVAILABLE\"} 1.0");
        assertThat(lines("catchment_connections_closed_total"))
                .containsExactly(
                        "catchment_connections_closed_total{listener=\"PLAINTEXT\",reason=\"bad_request\"} 1.0");
    }

    @Test
    void theWalIsAskedOncePerScrape() {
        AtomicInteger asked = new AtomicInteger();
        metrics.observeWal(() -> {
            asked.incrementAndGet();
            return new WalStats(
                    Map.of(Lane.URGENT, new WalStats.LaneStats(true, "", 12_345, 6, 5, 1, 78)),
                    2,
                    3,
                    1,
                    999,
                    4_096,
                    55,
                    Double.POSITIVE_INFINITY);
        });
        metrics.wal().groupSynced(Lane.NORMAL, 3, 4_000, 100_000, 300_000);
        assertThat(lines("catchment_wal_extents{state=\"sealed\"}"))
                .containsExactly("catchment_wal_extents{state=\"sealed\"} 3.0");
        assertThat(asked).hasValue(1);
        assertThat(lines("catchment_wal_full_in_seconds")).containsExactly("catchment_wal_full_in_seconds +Inf");
        assertThat(lines("catchment_wal_disk_usable_bytes")).containsExactly("catchment_wal_disk_usable_bytes 4096.0");
        assertThat(lines("catchment_wal_appended_bytes_total"))
                .contains("catchment_wal_appended_bytes_total{lane=\"urgent\"} 12345.0");
        assertThat(lines("catchment_wal_sync_seconds_count{lane=\"normal\"}"))
                .containsExactly("catchment_wal_sync_seconds_count{lane=\"normal\"} 1");
        assertThat(lines("catchment_wal_append_seconds_sum{lane=\"normal\"}"))
                .containsExactly("catchment_wal_append_seconds_sum{lane=\"normal\"} 4.0E-4");
    }

    @Test
    void theStoreAndTheReadPathShow() {
        metrics.store().attempted(StoreListener.Operation.PUT, StoreListener.Outcome.TIMEOUT, 1, 0, 1_000, 1);
        metrics.store().attempted(StoreListener.Operation.PUT, StoreListener.Outcome.OK, 4, 700, 1_000, 2);
        metrics.store().paced(1_500);
        metrics.store().circuit(true);
        metrics.observeBlockCache(() -> new ReaderStats(10, 4, 1, 1 << 20, 0, 0, 5, 0));
        metrics.observeReads(() -> new LayeredStreamReader.Served(7, 700, 9, 900, 8, 800));
        assertThat(lines("catchment_object_requests_seconds_count"))
                .containsExactlyInAnyOrder(
                        "catchment_object_requests_seconds_count{operation=\"put\",outcome=\"timeout\"} 1",
                        "catchment_object_requests_seconds_count{operation=\"put\",outcome=\"ok\"} 1");
        assertThat(lines("catchment_object_retries_total{operation=\"put\",outcome=\"ok\"}"))
                .containsExactly("catchment_object_retries_total{operation=\"put\",outcome=\"ok\"} 1.0");
        assertThat(lines("catchment_object_billed_requests_total{operation=\"put\",outcome=\"ok\"}"))
                .containsExactly("catchment_object_billed_requests_total{operation=\"put\",outcome=\"ok\"} 4.0");
        assertThat(lines("catchment_object_pace_seconds")).containsExactly("catchment_object_pace_seconds 1.5");
        assertThat(lines("catchment_object_circuit_open"))
                .contains("catchment_object_circuit_open 1.0", "catchment_object_circuit_openings_total 1.0");
        assertThat(lines("catchment_block_cache_hits_total")).containsExactly("catchment_block_cache_hits_total 10.0");
        assertThat(lines("catchment_read_bytes_total"))
                .containsExactlyInAnyOrder(
                        "catchment_read_bytes_total{level=\"extent\"} 700.0",
                        "catchment_read_bytes_total{level=\"peer\"} 900.0",
                        "catchment_read_bytes_total{level=\"object\"} 800.0");
    }

    @Test
    void transfersShowByClass() {
        List<Runnable> running = new ArrayList<>();
        TransferScheduler scheduler = new TransferScheduler(
                new TransferSettings(1, 0, 0, 1), System::nanoTime, (nanos, task) -> {}, metrics.transfers());
        metrics.transfers().observe(scheduler);
        for (int i = 0; i < 3; i++) {
            CompletionStage<String> unused = scheduler.submit(
                    TransferClass.CATCH_UP_READ,
                    Direction.DOWN,
                    700,
                    () -> {
                        CompletableFuture<String> read = new CompletableFuture<>();
                        running.add(() -> read.complete("bytes"));
                        return read;
                    },
                    () -> {},
                    late -> {});
        }
        String tags = "{class=\"catch_up_read\",direction=\"down\"}";
        assertThat(lines("catchment_transfers_waiting" + tags))
                .containsExactly("catchment_transfers_waiting" + tags + " 1.0");
        assertThat(lines("catchment_transfers_running" + tags))
                .containsExactly("catchment_transfers_running" + tags + " 1.0");
        running.remove(0).run();
        assertThat(lines("catchment_transfer_bytes_total" + tags))
                .containsExactly("catchment_transfer_bytes_total" + tags + " 700.0");
        assertThat(lines("catchment_transfer_queue_seconds_count" + tags))
                .containsExactly("catchment_transfer_queue_seconds_count" + tags + " 2");
        assertThat(lines("catchment_transfer_refused_total" + tags))
                .containsExactly("catchment_transfer_refused_total" + tags + " 1.0");
    }

    @Test
    void lateEventsAreAHistogramOfABoundedNumberOfTopics() {
        for (int i = 0; i < 300; i++) {
            metrics.arrivals().arrived("topic-" + i, 2_000);
        }
        metrics.arrivals().arrived("topic-0", -5);
        assertThat(lines("catchment_arrival_delay_seconds_bucket{topic=\"topic-0\",le=\"5.0\"}"))
                .containsExactly("catchment_arrival_delay_seconds_bucket{topic=\"topic-0\",le=\"5.0\"} 2");
        assertThat(lines("catchment_arrival_delay_seconds_count")).hasSize(201);
        assertThat(lines("catchment_arrival_delay_seconds_count{topic=\"other\"}"))
                .containsExactly("catchment_arrival_delay_seconds_count{topic=\"other\"} 100");
        assertThat(lines("catchment_arrival_future_total")).containsExactly("catchment_arrival_future_total 1.0");
    }
}
