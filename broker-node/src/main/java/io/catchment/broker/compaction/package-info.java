/** Key compaction of published ranges (DESIGN §7 "Merge" with a filter), by Kafka's rules. */
@NullMarked
package io.catchment.broker.compaction;

import org.jspecify.annotations.NullMarked;
