/** The real disk's own corners. */
@NullMarked
package io.catchment.wal.disk;

import org.jspecify.annotations.NullMarked;
