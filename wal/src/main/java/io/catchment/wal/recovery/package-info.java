/** Fencing and sealing what a dead writer left open. */
@NullMarked
package io.catchment.wal.recovery;

import org.jspecify.annotations.NullMarked;
