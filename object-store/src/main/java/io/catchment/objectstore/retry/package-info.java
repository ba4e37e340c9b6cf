/** Timeouts, retries with backoff and jitter, a circuit breaker and figures around any store. */
@NullMarked
package io.catchment.objectstore.retry;

import org.jspecify.annotations.NullMarked;
