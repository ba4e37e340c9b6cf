/** Readers far behind, beside a steady load that is followed at the tail. */
@NullMarked
package io.catchment.chaos.catchup;

import org.jspecify.annotations.NullMarked;
