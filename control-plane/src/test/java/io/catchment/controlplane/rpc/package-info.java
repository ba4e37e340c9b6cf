@NullMarked
package io.catchment.controlplane.rpc;

import org.jspecify.annotations.NullMarked;
