@NullMarked
package io.catchment.wal.store;

import org.jspecify.annotations.NullMarked;
