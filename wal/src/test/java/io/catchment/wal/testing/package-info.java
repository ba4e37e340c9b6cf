@NullMarked
package io.catchment.wal.testing;

import org.jspecify.annotations.NullMarked;
