/** The table from API keys to handlers. */
@NullMarked
package io.catchment.broker.request;

import org.jspecify.annotations.NullMarked;
