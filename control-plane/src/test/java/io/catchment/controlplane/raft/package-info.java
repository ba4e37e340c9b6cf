@NullMarked
package io.catchment.controlplane.raft;

import org.jspecify.annotations.NullMarked;
