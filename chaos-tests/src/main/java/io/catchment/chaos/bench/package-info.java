/** Catchment and Apache Kafka side by side. */
@NullMarked
package io.catchment.chaos.bench;

import org.jspecify.annotations.NullMarked;
