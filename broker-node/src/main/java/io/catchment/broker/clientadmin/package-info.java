/** APIs about clients: their quotas and their credentials. */
@NullMarked
package io.catchment.broker.clientadmin;

import org.jspecify.annotations.NullMarked;
