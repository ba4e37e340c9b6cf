/** Puts the handlers of all administrative APIs together. */
@NullMarked
package io.catchment.broker.admin;

import org.jspecify.annotations.NullMarked;
