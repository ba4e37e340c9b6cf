/** One conversation with stock clients of several languages and ages: what each writes, every other one reads byte for byte. */
@NullMarked
package io.catchment.chaos.clients;

import org.jspecify.annotations.NullMarked;
