/** The write-ahead log: extents, lanes, group commit, recovery. Knows streams, never topics. */
@NullMarked
package io.catchment.wal;

import org.jspecify.annotations.NullMarked;
