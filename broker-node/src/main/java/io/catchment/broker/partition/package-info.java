/** The owner's side of a stream: offsets, producer state, acknowledgement, the tail of recent batches. */
@NullMarked
package io.catchment.broker.partition;

import org.jspecify.annotations.NullMarked;
