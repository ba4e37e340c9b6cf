/** One handler for each group API. */
@NullMarked
package io.catchment.broker.group.api;

import org.jspecify.annotations.NullMarked;
