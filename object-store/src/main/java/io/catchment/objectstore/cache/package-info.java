/** Verified reads of published objects through a bounded cache of blocks (DESIGN §8). */
@NullMarked
package io.catchment.objectstore.cache;

import org.jspecify.annotations.NullMarked;
