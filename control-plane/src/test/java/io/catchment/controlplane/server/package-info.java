@NullMarked
package io.catchment.controlplane.server;

import org.jspecify.annotations.NullMarked;
