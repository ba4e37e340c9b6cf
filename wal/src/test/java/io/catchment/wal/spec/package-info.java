/** The written model of extents, checked. */
@NullMarked
package io.catchment.wal.spec;

import org.jspecify.annotations.NullMarked;
