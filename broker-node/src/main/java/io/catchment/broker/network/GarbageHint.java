package io.catchment.broker.network;

import org.jspecify.annotations.Nullable;

/** Says what four bytes that are no frame size probably are: the usual strangers on a Kafka port. */
final class GarbageHint {
    private GarbageHint() {}

    static String describe(int size, int frameBytesMax) {
        String guess = guess(size);
        if (guess != null) {
            return "this is " + guess + ", not the Kafka protocol";
        }
        if (size > frameBytesMax) {
            return "a request of " + size + " bytes is larger than socket.request.max.bytes = " + frameBytesMax;
        }
        return "a request of " + size + " bytes cannot be";
    }

    private static @Nullable String guess(int size) {
        if (size >>> 16 == 0x1603) {
            return "a TLS hello (this listener is PLAINTEXT)";
        }
        return switch (size) {
            case 0x47455420 -> "HTTP (GET)";
            case 0x504F5354 -> "HTTP (POST)";
            case 0x48454144 -> "HTTP (HEAD)";
            case 0x50555420 -> "HTTP (PUT)";
            case 0x4F505449 -> "HTTP (OPTIONS)";
            case 0x50524920 -> "HTTP/2";
            case 0x5353482D -> "SSH";
            default -> null;
        };
    }
}
