/** Fuzzing of the ports: mutated requests, crazy values, half requests, from many connections, beside clients that behave. */
@NullMarked
package io.catchment.chaos.fuzz;

import org.jspecify.annotations.NullMarked;
