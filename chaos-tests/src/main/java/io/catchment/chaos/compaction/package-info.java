/** Compacted topics, side by side with Apache Kafka. */
@NullMarked
package io.catchment.chaos.compaction;

import org.jspecify.annotations.NullMarked;
