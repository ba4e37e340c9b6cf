/** Wires one node together and runs it. */
@NullMarked
package io.catchment.broker.node;

import org.jspecify.annotations.NullMarked;
