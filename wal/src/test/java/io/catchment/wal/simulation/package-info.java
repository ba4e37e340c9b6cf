/** One seed, one whole run of a node: simulated disk, clock, threads and control plane around the real WAL. */
@NullMarked
package io.catchment.wal.simulation;

import org.jspecify.annotations.NullMarked;
