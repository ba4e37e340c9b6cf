package io.catchment.broker.partition;

import io.catchment.broker.topic.TopicConfig;
import io.catchment.wal.Wal;
import java.util.function.Function;
import org.apache.kafka.common.utils.Time;

/** What all partitions of a node use. */
record PartitionServices(
        Wal wal,
        Function<String, TopicConfig> configs,
        LaneFaults faults,
        ServingRight right,
        ArrivalObserver arrivals,
        TransactionVerifier verifier,
        Time time) {}
