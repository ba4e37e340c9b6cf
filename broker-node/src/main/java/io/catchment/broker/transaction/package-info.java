/**
 * Transactions (KIP-98, KIP-360, KIP-890): the coordinator, whose log ({@code __transaction_state}) lies on our streams, and what it asks of
 * other nodes. Kafka's records and rules of transition, our threads and ways.
 */
@NullMarked
package io.catchment.broker.transaction;

import org.jspecify.annotations.NullMarked;
