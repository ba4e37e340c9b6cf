/** Kafka's command line tools: the same calls of Apache Kafka and of Catchment, and their outputs compared. */
@NullMarked
package io.catchment.chaos.tools;

import org.jspecify.annotations.NullMarked;
