/** Wires one node's control plane together and runs it on its thread. */
@NullMarked
package io.catchment.controlplane.server;

import org.jspecify.annotations.NullMarked;
