/** The Kafka protocol over netty: framing, order per connection, bounded memory, zero-copy responses. */
@NullMarked
package io.catchment.broker.network;

import org.jspecify.annotations.NullMarked;
