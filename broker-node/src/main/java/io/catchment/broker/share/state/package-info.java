/** Kafka's share coordinator on this node's streams (KIP-932): it keeps how far share groups have got in each partition. */
@NullMarked
package io.catchment.broker.share.state;

import org.jspecify.annotations.NullMarked;
