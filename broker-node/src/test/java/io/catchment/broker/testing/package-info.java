/** Hand-made fakes for the tests of several packages. */
@NullMarked
package io.catchment.broker.testing;

import org.jspecify.annotations.NullMarked;
