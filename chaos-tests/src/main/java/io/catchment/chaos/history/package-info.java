/** What was acknowledged and what was read, and whether the two agree. */
@NullMarked
package io.catchment.chaos.history;

import org.jspecify.annotations.NullMarked;
