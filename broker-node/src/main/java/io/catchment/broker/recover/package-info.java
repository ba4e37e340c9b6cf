/** A new cluster from the bucket of one that is gone. */
@NullMarked
package io.catchment.broker.recover;

import org.jspecify.annotations.NullMarked;
