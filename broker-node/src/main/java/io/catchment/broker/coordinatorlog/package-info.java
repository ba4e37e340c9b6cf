/** How a coordinator's state is loaded from, and its time as leader bound to, one of the node's own partitions. */
@NullMarked
package io.catchment.broker.coordinatorlog;

import org.jspecify.annotations.NullMarked;
