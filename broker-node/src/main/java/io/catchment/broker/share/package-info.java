/** Share groups (KIP-932): members of one group get different records of the same partitions, and say of each what became of it. */
@NullMarked
package io.catchment.broker.share;

import org.jspecify.annotations.NullMarked;
