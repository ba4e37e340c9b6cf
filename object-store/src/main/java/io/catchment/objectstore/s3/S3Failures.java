package io.catchment.objectstore.s3;

import io.catchment.objectstore.ObjectStoreException;
import io.catchment.objectstore.ObjectStoreException.Reason;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import software.amazon.awssdk.awscore.exception.AwsErrorDetails;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.services.s3.model.S3Exception;

/** What a failure of the SDK means to a store's user. */
final class S3Failures {
    private static final Set<String> TRANSIENT_CODES = Set.of(
            "RequestTimeout",
            "SlowDown",
            "Throttling",
            "ThrottlingException",
            "RequestLimitExceeded",
            "ServiceUnavailable",
            "InternalError");

    private S3Failures() {}

    static ObjectStoreException explain(String what, Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        // What our own collector of the body said comes back wrapped by the SDK.
        for (Throwable inner = cause; inner != null; inner = inner.getCause()) {
            if (inner instanceof ObjectStoreException known) {
                return known;
            }
        }
        return new ObjectStoreException(reason(cause), what + ": " + cause.getMessage(), cause);
    }

    private static Reason reason(Throwable cause) {
        if (cause instanceof S3Exception answered) {
            AwsErrorDetails details = answered.awsErrorDetails();
            String code = details == null || details.errorCode() == null ? "" : details.errorCode();
            return reason(answered.statusCode(), code);
        }
        if (cause instanceof CancellationException) {
            return Reason.TRANSIENT;
        }
        String message = String.valueOf(cause.getMessage());
        boolean configuration = message.contains("credentials") || message.contains("region");
        return cause instanceof SdkClientException && configuration ? Reason.REFUSED : Reason.TRANSIENT;
    }

    static Reason reason(int status, String code) {
        if (TRANSIENT_CODES.contains(code)) {
            return Reason.TRANSIENT;
        }
        return switch (status) {
            case 404 -> code.equals("NoSuchBucket") ? Reason.REFUSED : Reason.NOT_FOUND;
            case 412 -> Reason.ALREADY_EXISTS;
            // The object ends before the first byte asked for.
            case 416 -> Reason.CORRUPT;
            // 409: two conditional writes at the same time; which of them won is not known here.
            case 408, 409, 425, 429 -> Reason.TRANSIENT;
            default -> status >= 300 && status < 500 ? Reason.REFUSED : Reason.TRANSIENT;
        };
    }
}
