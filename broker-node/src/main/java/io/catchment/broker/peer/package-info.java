/** Requests of this node to other nodes in Kafka's protocol, as a client of their listeners. */
@NullMarked
package io.catchment.broker.peer;

import org.jspecify.annotations.NullMarked;
