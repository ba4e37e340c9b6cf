/** Wiring: a node's lanes, store and recovery behind the Wal interface. */
@NullMarked
package io.catchment.wal.node;

import org.jspecify.annotations.NullMarked;
