/** Ids of idempotent producers. */
@NullMarked
package io.catchment.broker.producerid;

import org.jspecify.annotations.NullMarked;
