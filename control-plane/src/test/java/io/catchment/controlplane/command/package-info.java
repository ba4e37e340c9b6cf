@NullMarked
package io.catchment.controlplane.command;

import org.jspecify.annotations.NullMarked;
