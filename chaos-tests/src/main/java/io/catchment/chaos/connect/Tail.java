package io.catchment.chaos.connect;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;

/** The last bytes of a file. */
final class Tail {
    private Tail() {}

    static byte[] of(Path file, int bytesMax) throws IOException {
        try (var input = new RandomAccessFile(file.toFile(), "r")) {
            long length = input.length();
            byte[] bytes = new byte[(int) Math.min(length, bytesMax)];
            input.seek(length - bytes.length);
            input.readFully(bytes);
            return bytes;
        }
    }
}
