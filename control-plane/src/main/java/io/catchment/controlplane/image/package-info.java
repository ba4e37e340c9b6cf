/** The state together with Kafka's own metadata image: what a node shows to its readers. */
@NullMarked
package io.catchment.controlplane.image;

import org.jspecify.annotations.NullMarked;
