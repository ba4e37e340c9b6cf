package io.catchment.chaos.storefault;

import java.util.Locale;

/** One way for a request to fail. */
public sealed interface Fault {

    /** The request is read to its end, and the proxy itself answers: the store sees nothing. */
    record Answer(int status, String code, String message) implements Fault {}

    /** The request is read to its end and never answered; the store sees nothing. */
    record Silence() implements Fault {}

    /** The connection is reset. */
    record Reset(Where where) implements Fault {
        /** When. */
        public enum Where {
            /** At the head of the request. */
            AT_ONCE,
            /** Half of the request's body is with the store, which may keep nothing of it. */
            REQUEST_BODY,
            /** Half of the answer's body is with the client. */
            ANSWER_BODY
        }
    }

    /** Half of the answer's body, then the connection is closed in good order. */
    record Truncated() implements Fault {}

    /** One bit of the answer's body is another. */
    record AnswerCorrupted() implements Fault {}

    /** One bit of the request's body is another. */
    record RequestCorrupted() implements Fault {}

    /** The answer comes so much later. */
    record Delay(long ms) implements Fault {}

    /** Short name, as on the command line; {@code delay-MS} for delays. */
    static Fault named(String name) {
        String text = name.toLowerCase(Locale.ROOT);
        if (text.startsWith("delay-")) {
            return new Delay(Long.parseLong(text.substring("delay-".length())));
        }
        return switch (text) {
            case "slow-down" -> new Answer(503, "SlowDown", "Please reduce your request rate.");
            case "unavailable" -> new Answer(503, "ServiceUnavailable", "Service is unable to handle request.");
            case "internal-error" -> new Answer(500, "InternalError", "We encountered an internal error.");
            case "expired-token" -> new Answer(403, "ExpiredToken", "The provided token has expired.");
            case "invalid-key" ->
                new Answer(403, "InvalidAccessKeyId", "The access key id you provided does not exist in our records.");
            case "access-denied" -> new Answer(403, "AccessDenied", "Access Denied");
            case "silence" -> new Silence();
            case "reset" -> new Reset(Reset.Where.AT_ONCE);
            case "reset-request" -> new Reset(Reset.Where.REQUEST_BODY);
            case "reset-answer" -> new Reset(Reset.Where.ANSWER_BODY);
            case "truncate" -> new Truncated();
            case "corrupt-answer" -> new AnswerCorrupted();
            case "corrupt-request" -> new RequestCorrupted();
            default -> throw new IllegalArgumentException("no fault is named " + name);
        };
    }
}
