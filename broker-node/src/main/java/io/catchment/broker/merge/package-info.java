/** Many small published ranges become few large ones (DESIGN §7 "Merge"). */
@NullMarked
package io.catchment.broker.merge;

import org.jspecify.annotations.NullMarked;
