package io.catchment.broker.topicadmin;

import io.catchment.controlplane.Command;
import io.catchment.controlplane.CommandException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.ApiError;

/** The one place where the control plane's reasons become Kafka's errors. */
public final class CommandErrors {
    private CommandErrors() {}

    /** @param invalid what "breaks a rule" means to this API, for example INVALID_CONFIG */
    public static ApiError of(Command.ItemError error, Errors notFound, Errors invalid) {
        return of(error.reason(), error.message(), notFound, invalid);
    }

    /** Of whatever a command's stage failed with; a failure that is no outcome of a command is Kafka's, or UNKNOWN_SERVER_ERROR. */
    public static ApiError of(Throwable failure, Errors notFound, Errors invalid) {
        Throwable cause = unwrap(failure);
        if (cause instanceof CommandException command) {
            return of(command.reason(), messageOf(command), notFound, invalid);
        } else if (cause instanceof TimeoutException) {
            return new ApiError(Errors.REQUEST_TIMED_OUT, "No answer in time; it may still take effect.");
        } else if (cause instanceof ConfigException) {
            return new ApiError(Errors.INVALID_CONFIG, messageOf(cause));
        }
        return ApiError.fromThrowable(cause);
    }

    private static ApiError of(CommandException.Reason reason, String message, Errors notFound, Errors invalid) {
        Errors error =
                switch (reason) {
                    case NOT_FOUND -> notFound;
                    case ALREADY_EXISTS -> Errors.TOPIC_ALREADY_EXISTS;
                    case INVALID -> invalid;
                    // What a client can do about each of these is to ask again, and for UNCERTAIN to look first.
                    case FENCED, NOT_YET, UNAVAILABLE, UNCERTAIN -> Errors.REQUEST_TIMED_OUT;
                };
        return new ApiError(error, message);
    }

    private static String messageOf(Throwable cause) {
        String message = cause.getMessage();
        return message == null ? cause.getClass().getSimpleName() : message;
    }

    private static Throwable unwrap(Throwable failure) {
        Throwable cause = failure;
        while ((cause instanceof CompletionException || cause instanceof ExecutionException)
                && cause.getCause() != null) {
            cause = cause.getCause();
        }
        return cause;
    }
}
