/** Who owns a stream and which stores hold an extent: pure functions over the state. */
@NullMarked
package io.catchment.controlplane.placement;

import org.jspecify.annotations.NullMarked;
