/** Scenarios with several nodes: one fault each, under a load that records everything, with the pauses it costs. */
@NullMarked
package io.catchment.chaos.nodes;

import org.jspecify.annotations.NullMarked;
