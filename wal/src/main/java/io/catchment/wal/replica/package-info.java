/** The messages between a writer or a recoverer and the stores of an ensemble. */
@NullMarked
package io.catchment.wal.replica;

import org.jspecify.annotations.NullMarked;
