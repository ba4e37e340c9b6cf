/** A proxy before an S3 server that fails in every way a store can, counts what passes, and stops the world at chosen requests. */
@NullMarked
package io.catchment.chaos.storefault;

import org.jspecify.annotations.NullMarked;
