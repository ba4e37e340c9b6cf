/** Stock Kafka Connect on a cluster: its workers and the cluster's nodes are killed. */
@NullMarked
package io.catchment.chaos.connect;

import org.jspecify.annotations.NullMarked;
