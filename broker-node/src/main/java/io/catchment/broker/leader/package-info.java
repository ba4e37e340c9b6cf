/** Who leads a partition, as clients are told. */
@NullMarked
package io.catchment.broker.leader;

import org.jspecify.annotations.NullMarked;
