@NullMarked
package io.catchment.controlplane.lead;

import org.jspecify.annotations.NullMarked;
