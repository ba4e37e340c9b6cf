package io.catchment.controlplane.command;

import io.catchment.controlplane.Command;

/** Checks one kind of command against the state and writes the records that carry it out. Pure. */
@FunctionalInterface
interface CommandRule<C extends Command<R>, R> {
    Decision<R> decide(C command, Draft draft);
}
