/** The requests of share consumers. */
@NullMarked
package io.catchment.broker.share.api;

import org.jspecify.annotations.NullMarked;
