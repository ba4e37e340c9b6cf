@NullMarked
package io.catchment.controlplane.state;

import org.jspecify.annotations.NullMarked;
