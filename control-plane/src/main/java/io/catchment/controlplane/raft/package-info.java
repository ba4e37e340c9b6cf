/** The replicated log on Kafka's Raft. Everything of org.apache.kafka.raft stays in here. */
@NullMarked
package io.catchment.controlplane.raft;

import org.jspecify.annotations.NullMarked;
