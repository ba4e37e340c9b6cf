/**
 * Consumer groups: Kafka's own GroupCoordinatorService, whose log ({@code __consumer_offsets}) lies on our streams. Kafka's
 * coordinator classes are known to this package and {@code group.api}; what transactions mean for groups, to {@code transaction} too.
 */
@NullMarked
package io.catchment.broker.group;

import org.jspecify.annotations.NullMarked;
