/** From an object store's URI to a store that is ready for use. */
@NullMarked
package io.catchment.objectstore.open;

import org.jspecify.annotations.NullMarked;
