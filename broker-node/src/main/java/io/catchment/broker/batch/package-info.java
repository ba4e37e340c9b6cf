/** Kafka record batches in place: header fields by position, validation without garbage. */
@NullMarked
package io.catchment.broker.batch;

import org.jspecify.annotations.NullMarked;
