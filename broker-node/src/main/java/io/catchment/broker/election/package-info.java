/** Elections asked for by clients. */
@NullMarked
package io.catchment.broker.election;

import org.jspecify.annotations.NullMarked;
