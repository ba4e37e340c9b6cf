package io.catchment.objectstore.s3;

import java.net.URI;
import org.jspecify.annotations.Nullable;

/**
 * Where a bucket is and how to talk to it.
 *
 * @param prefix put before every key; empty or ending with a slash
 * @param endpoint null for AWS
 * @param region null: the SDK's default chain decides
 * @param accessKeyId null: the SDK's default chain finds credentials; else {@code secretAccessKey} is needed too
 * @param sse server-side encryption of what is written
 * @param kmsKeyId for SSE-KMS; null: the bucket's default key
 * @param checksums of the protocol: WHEN_REQUIRED for servers that do not know them (every block has ours anyway)
 * @param multipartBytes bodies of at least this size go up in parts
 * @param partBytes size of these parts
 * @param connectTimeoutMs of one TCP connection
 */
public record S3Settings(
        String bucket,
        String prefix,
        @Nullable URI endpoint,
        @Nullable String region,
        boolean pathStyle,
        @Nullable String accessKeyId,
        @Nullable String secretAccessKey,
        @Nullable String sessionToken,
        Sse sse,
        @Nullable String kmsKeyId,
        Checksums checksums,
        long multipartBytes,
        long partBytes,
        int connections,
        double gigabitsPerSecond,
        int connectTimeoutMs) {

    public enum Sse {
        NONE,
        S3,
        KMS
    }

    public enum Checksums {
        WHEN_SUPPORTED,
        WHEN_REQUIRED
    }

    public S3Settings {
        if (bucket.isEmpty()) {
            throw new IllegalArgumentException("an s3 object store needs a bucket");
        }
        if (!prefix.isEmpty() && (!prefix.endsWith("/") || prefix.startsWith("/"))) {
            throw new IllegalArgumentException("prefix '" + prefix + "' must end, and not begin, with a slash");
        }
        if ((accessKeyId == null) != (secretAccessKey == null)) {
            throw new IllegalArgumentException("access key id and secret access key: give both or neither");
        }
        if (kmsKeyId != null && sse != Sse.KMS) {
            throw new IllegalArgumentException("a KMS key id needs sse=kms");
        }
        if (partBytes < 5 << 20 || multipartBytes < partBytes || connections < 1 || connectTimeoutMs < 1) {
            throw new IllegalArgumentException(
                    "part bytes at least 5 MiB, multipart bytes at least that, connections at least 1");
        }
    }

    /** Without the secrets. */
    @Override
    public String toString() {
        return "s3://" + bucket + "/" + prefix + " (endpoint " + (endpoint == null ? "AWS" : endpoint) + ", region "
                + (region == null ? "by default chain" : region) + ")";
    }
}
