/** Producers and consumers that keep a record of what they did. */
@NullMarked
package io.catchment.chaos.workload;

import org.jspecify.annotations.NullMarked;
