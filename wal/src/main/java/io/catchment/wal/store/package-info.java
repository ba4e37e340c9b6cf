/** One WAL directory: extents as files, their indexes, scan and cut after a crash, fences, reads. */
@NullMarked
package io.catchment.wal.store;

import org.jspecify.annotations.NullMarked;
