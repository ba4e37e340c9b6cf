/** What each command checks and which records it becomes; and commands and answers on the wire. */
@NullMarked
package io.catchment.controlplane.command;

import org.jspecify.annotations.NullMarked;
