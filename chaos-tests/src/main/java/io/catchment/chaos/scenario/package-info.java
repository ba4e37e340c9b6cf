/** Faults under load, each with a verdict. */
@NullMarked
package io.catchment.chaos.scenario;

import org.jspecify.annotations.NullMarked;
