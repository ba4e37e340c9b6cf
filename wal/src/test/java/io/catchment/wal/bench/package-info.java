/** Measurements to be run by hand; see the module's README. */
@NullMarked
package io.catchment.wal.bench;

import org.jspecify.annotations.NullMarked;
