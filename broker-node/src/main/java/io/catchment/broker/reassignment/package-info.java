/** Moving partitions to other owners by hand, in the words of Kafka's reassignment. */
@NullMarked
package io.catchment.broker.reassignment;

import org.jspecify.annotations.NullMarked;
