/** The active controller: decides commands on the state with its undecided tail, proposes, answers. */
@NullMarked
package io.catchment.controlplane.lead;

import org.jspecify.annotations.NullMarked;
