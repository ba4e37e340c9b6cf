/** Reading a stream below its tail: NVMe extents, then objects through the block cache. */
@NullMarked
package io.catchment.broker.read;

import org.jspecify.annotations.NullMarked;
