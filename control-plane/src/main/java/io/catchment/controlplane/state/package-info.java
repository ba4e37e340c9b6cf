/** The whole replicated state as an immutable value, and how records change it. */
@NullMarked
package io.catchment.controlplane.state;

import org.jspecify.annotations.NullMarked;
