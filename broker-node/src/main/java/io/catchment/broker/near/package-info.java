/** Fetch from the nearest (KIP-392): streams of owners in other zones, read by a node in the reader's zone. */
@NullMarked
package io.catchment.broker.near;

import org.jspecify.annotations.NullMarked;
