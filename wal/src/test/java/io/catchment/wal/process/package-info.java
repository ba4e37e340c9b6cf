/** Real processes and real file systems. */
@NullMarked
package io.catchment.wal.process;

import org.jspecify.annotations.NullMarked;
