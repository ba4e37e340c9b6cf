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
            "ServiceUnavailable",
            "InternalError",
            "BadDigest",
            "XAmzContentSHA256Mismatch",
            "IncompleteBody");
    private static final Set<String> THROTTLING_CODES = Set.of(
            "SlowDown",
            "SlowDownRead",
            "SlowDownWrite",
            "Throttling",
            "ThrottlingException",
            "ThrottledException",
            "RequestThrottled",
            "RequestLimitExceeded",
            "BandwidthLimitExceeded",
            "TooManyRequests");
    private static final Set<String> CREDENTIAL_CODES = Set.of(
            "ExpiredToken",
            "ExpiredTokenException",
            "TokenRefreshRequired",
            "InvalidToken",
            "InvalidAccessKeyId",
            "SignatureDoesNotMatch",
            "RequestExpired",
            "RequestTimeTooSkewed",
            "AuthFailure");

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
        // The native client keeps some answers to itself, any 503 among them, and leaves only a sentence of its own.
        String message = String.valueOf(cause.getMessage());
        if (message.contains("indicates throttling")) {
            return Reason.THROTTLED;
        }
        if (message.contains("credentials")) {
            return Reason.CREDENTIALS; // none to be had: a metadata service that is away, a file that is being written
        }
        return cause instanceof SdkClientException && message.contains("region") ? Reason.REFUSED : Reason.TRANSIENT;
    }

    static Reason reason(int status, String code) {
        if (TRANSIENT_CODES.contains(code)) {
            return Reason.TRANSIENT;
        }
        if (THROTTLING_CODES.contains(code)) {
            return Reason.THROTTLED;
        }
        if (CREDENTIAL_CODES.contains(code)) {
            return Reason.CREDENTIALS;
        }
        return switch (status) {
            case 404 -> code.equals("NoSuchBucket") ? Reason.REFUSED : Reason.NOT_FOUND;
            case 412 -> Reason.ALREADY_EXISTS;
            // The object ends before the first byte asked for.
            case 416 -> Reason.CORRUPT;
            // 409: two conditional writes at the same time; which of them won is not known here.
            case 408, 409, 425 -> Reason.TRANSIENT;
            case 429 -> Reason.THROTTLED;
            case 401 -> Reason.CREDENTIALS;
            // Without a word why: the answer to a body that changed on its way comes like this through the native
            // client.
            case 400 -> code.isEmpty() ? Reason.TRANSIENT : Reason.REFUSED;
            default -> status >= 300 && status < 500 ? Reason.REFUSED : Reason.TRANSIENT;
        };
    }
}
