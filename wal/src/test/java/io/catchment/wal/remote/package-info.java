@NullMarked
package io.catchment.wal.remote;

import org.jspecify.annotations.NullMarked;
