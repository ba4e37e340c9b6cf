package io.catchment.controlplane;

/** Why a command had no effect, or that nobody knows. */
public final class CommandException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** The outcomes a caller has to tell apart. */
    public enum Reason {
        /** The name or id is not in the state. */
        NOT_FOUND,
        /** It exists already. */
        ALREADY_EXISTS,
        /** The command breaks a rule of the state: a bad name, a bad configuration, a bad count. Retrying does not help. */
        INVALID,
        /** The node epoch, extent state or stream epoch that guards the command is over. Final for this epoch. */
        FENCED,
        /** Right in itself but not yet: for example an earlier extent's ranges are not published. Retry later. */
        NOT_YET,
        /** No active controller could be reached before the deadline; it certainly had no effect. Retry later. */
        UNAVAILABLE,
        /** Unknown whether it took effect (lost leadership, lost connection). */
        UNCERTAIN
    }

    private final Reason reason;

    public CommandException(Reason reason, String message) {
        super(message);
        this.reason = reason;
    }

    public Reason reason() {
        return reason;
    }
}
