/** A handler for each API of transactions. */
@NullMarked
package io.catchment.broker.transaction.api;

import org.jspecify.annotations.NullMarked;
