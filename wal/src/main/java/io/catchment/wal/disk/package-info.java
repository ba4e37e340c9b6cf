/** The few disk operations that the WAL needs, blocking; a real implementation, and room for a simulated one. */
@NullMarked
package io.catchment.wal.disk;

import org.jspecify.annotations.NullMarked;
