package io.catchment.objectstore.s3;

import io.catchment.objectstore.s3.S3Settings.Checksums;
import java.time.Duration;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.checksums.RequestChecksumCalculation;
import software.amazon.awssdk.core.checksums.ResponseChecksumValidation;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3AsyncClient;
import software.amazon.awssdk.services.s3.S3CrtAsyncClientBuilder;
import software.amazon.awssdk.services.s3.crt.S3CrtHttpConfiguration;
import software.amazon.awssdk.services.s3.crt.S3CrtRetryConfiguration;

/** Builds the CRT client from our settings. It blocks (native library, default chains): never on an event loop. */
final class S3Clients {
    /** The CRT accepts no less. A limit, not a reservation: parts in flight are what is used. */
    private static final long NATIVE_MEMORY_BYTES_MAX = 1L << 30;

    private static final int STALL_SECONDS = 20;

    private S3Clients() {}

    static S3AsyncClient build(S3Settings settings, AwsCredentialsProvider credentials) {
        boolean supported = settings.checksums() == Checksums.WHEN_SUPPORTED;
        S3CrtAsyncClientBuilder builder = S3AsyncClient.crtBuilder()
                .credentialsProvider(credentials)
                .forcePathStyle(settings.pathStyle())
                .minimumPartSizeInBytes(settings.partBytes())
                .thresholdInBytes(settings.multipartBytes())
                .targetThroughputInGbps(settings.gigabitsPerSecond())
                .maxConcurrency(settings.connections())
                .maxNativeMemoryLimitInBytes(NATIVE_MEMORY_BYTES_MAX)
                .httpConfiguration(S3CrtHttpConfiguration.builder()
                        .connectionTimeout(Duration.ofMillis(settings.connectTimeoutMs()))
                        // What hangs without moving a byte ends by itself.
                        .connectionHealthConfiguration(health -> health.minimumThroughputInBps(1L)
                                .minimumThroughputTimeout(Duration.ofSeconds(STALL_SECONDS)))
                        .build())
                // Retries are made, and seen, one level up.
                .retryConfiguration(
                        S3CrtRetryConfiguration.builder().numRetries(0).build())
                // Completions only pass bytes on and checksum blocks, so they run where they happen.
                .futureCompletionExecutor(Runnable::run)
                .requestChecksumCalculation(
                        supported
                                ? RequestChecksumCalculation.WHEN_SUPPORTED
                                : RequestChecksumCalculation.WHEN_REQUIRED)
                .responseChecksumValidation(
                        supported
                                ? ResponseChecksumValidation.WHEN_SUPPORTED
                                : ResponseChecksumValidation.WHEN_REQUIRED);
        if (settings.endpoint() != null) {
            builder.endpointOverride(settings.endpoint());
        }
        if (settings.region() != null) {
            builder.region(Region.of(settings.region()));
        }
        return builder.build();
    }

    /** A new look-up from the beginning: blocks. */
    static AwsCredentialsProvider credentials(S3Settings settings) {
        String id = settings.accessKeyId();
        String secret = settings.secretAccessKey();
        if (id == null || secret == null) {
            return DefaultCredentialsProvider.builder().build();
        }
        String token = settings.sessionToken();
        return StaticCredentialsProvider.create(
                token == null
                        ? AwsBasicCredentials.create(id, secret)
                        : AwsSessionCredentials.create(id, secret, token));
    }
}
