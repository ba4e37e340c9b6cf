/** Scenarios with an object store that fails: every kind of fault, a kill at every step of writing to it, an outage with a backlog. */
@NullMarked
package io.catchment.chaos.store;

import org.jspecify.annotations.NullMarked;
