/** One writer: group commit, quorum, roll, seal, and going on elsewhere after a fault. */
@NullMarked
package io.catchment.wal.lane;

import org.jspecify.annotations.NullMarked;
