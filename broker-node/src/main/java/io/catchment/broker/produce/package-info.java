/** Produce requests: split by partition, appended on the partitions' event loops, answered when acknowledged. */
@NullMarked
package io.catchment.broker.produce;

import org.jspecify.annotations.NullMarked;
