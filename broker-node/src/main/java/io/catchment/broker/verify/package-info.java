/** Whether the object store holds what the catalog says, and nothing else (O1, O3). */
@NullMarked
package io.catchment.broker.verify;

import org.jspecify.annotations.NullMarked;
