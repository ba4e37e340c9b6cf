/**
 * Consumer groups: Kafka's own GroupCoordinatorService, whose log ({@code __consumer_offsets}) lies on our streams. Every
 * import of Kafka's coordinator classes stays in this package and in {@code group.api}.
 */
@NullMarked
package io.catchment.broker.group;

import org.jspecify.annotations.NullMarked;
