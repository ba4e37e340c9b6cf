/** Serial executors with timers: every mutable part of the WAL is owned by one, real or simulated. */
@NullMarked
package io.catchment.wal.loop;

import org.jspecify.annotations.NullMarked;
