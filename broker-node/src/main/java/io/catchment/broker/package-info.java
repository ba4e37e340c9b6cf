/** One node: Kafka protocol in front, WAL, objects and control plane behind. */
@NullMarked
package io.catchment.broker;

import org.jspecify.annotations.NullMarked;
