/** What clients learn of the cluster: its brokers, topics and owners, from the immutable image, without waiting. */
@NullMarked
package io.catchment.broker.metadata;

import org.jspecify.annotations.NullMarked;
