/** Keeps this node's store in step with what the cluster knows of its extents: settle, delete, recover, repair (DESIGN §5). */
@NullMarked
package io.catchment.broker.extents;

import org.jspecify.annotations.NullMarked;
