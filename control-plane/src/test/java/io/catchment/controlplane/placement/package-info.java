@NullMarked
package io.catchment.controlplane.placement;

import org.jspecify.annotations.NullMarked;
