/** One thread with a clock that owns some state, and its like in tests. */
@NullMarked
package io.catchment.broker.loop;

import org.jspecify.annotations.NullMarked;
