/** The old part of a stream's catalog, in manifest objects: moved there, read back, let go (DESIGN §4 "Bounded"). */
@NullMarked
package io.catchment.broker.manifest;

import org.jspecify.annotations.NullMarked;
