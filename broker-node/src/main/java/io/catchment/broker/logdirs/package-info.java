/** Where a node keeps partitions, in the words of Kafka's log directories. */
@NullMarked
package io.catchment.broker.logdirs;

import org.jspecify.annotations.NullMarked;
