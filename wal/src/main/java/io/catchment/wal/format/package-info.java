/** Bytes of an extent: header, frames, footer. Specified in the module's README. */
@NullMarked
package io.catchment.wal.format;

import org.jspecify.annotations.NullMarked;
