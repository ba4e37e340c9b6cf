/** Many sites that send station readings, and the audience that checks every one. */
@NullMarked
package io.catchment.chaos.station;

import org.jspecify.annotations.NullMarked;
