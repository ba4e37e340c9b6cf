/** From sealed extents to published objects: upload, publish, then deletion of what is no longer needed (DESIGN §7 "Flush"). */
@NullMarked
package io.catchment.broker.flush;

import org.jspecify.annotations.NullMarked;
