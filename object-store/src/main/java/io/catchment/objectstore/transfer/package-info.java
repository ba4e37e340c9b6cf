/** All transfers to and from the object store, scheduled by class (DESIGN §7). */
@NullMarked
package io.catchment.objectstore.transfer;

import org.jspecify.annotations.NullMarked;
