package io.catchment.broker.partition;

import io.catchment.broker.topic.TopicConfigs;
import io.catchment.wal.Wal;
import org.apache.kafka.common.utils.Time;

/** What all partitions of a node use. */
record PartitionServices(Wal wal, TopicConfigs configs, LaneFaults faults, ArrivalObserver arrivals, Time time) {}
