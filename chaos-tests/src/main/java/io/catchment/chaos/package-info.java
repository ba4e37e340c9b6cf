/** Real processes, real faults, recorded histories, and the benchmark. */
@NullMarked
package io.catchment.chaos;

import org.jspecify.annotations.NullMarked;
