/** Commands between nodes: frames in and out, and the connection to the active controller. */
@NullMarked
package io.catchment.controlplane.rpc;

import org.jspecify.annotations.NullMarked;
