/** What clients tell of themselves (KIP-714): which metrics they are asked for, and what they push. */
@NullMarked
package io.catchment.broker.telemetry;

import org.jspecify.annotations.NullMarked;
