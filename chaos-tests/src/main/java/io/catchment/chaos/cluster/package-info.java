/** Real processes: a Catchment node by its launcher, a Kafka node, their faults. */
@NullMarked
package io.catchment.chaos.cluster;

import org.jspecify.annotations.NullMarked;
