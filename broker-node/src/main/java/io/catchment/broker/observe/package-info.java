/** What a node shows of itself: metrics, health, readiness, and the HTTP port they are on. */
@NullMarked
package io.catchment.broker.observe;

import org.jspecify.annotations.NullMarked;
