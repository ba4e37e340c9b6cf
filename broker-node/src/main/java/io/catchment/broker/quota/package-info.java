/** What clients may use of this node: Kafka's quotas, with Kafka's own reckoning. */
@NullMarked
package io.catchment.broker.quota;

import org.jspecify.annotations.NullMarked;
