/** Clients that a node meets before its classes are archived: deploy's launcher runs them once per build. */
@NullMarked
package io.catchment.broker.rehearsal;

import org.jspecify.annotations.NullMarked;
