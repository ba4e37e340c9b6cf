package io.catchment.objectstore.s3;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;

/**
 * Owned by its lock. Credentials that are looked up from the beginning after the store refused them: the SDK's providers keep what they found
 * until its time is over, and a file for as long as they live, so that a node would need a restart after a rotation.
 */
final class RenewableCredentials implements AwsCredentialsProvider {
    private static final Logger LOG = LoggerFactory.getLogger(RenewableCredentials.class);
    /** A metadata service is not asked more often because many requests fail at a time. */
    private static final long RENEW_EVERY_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

    private final Supplier<AwsCredentialsProvider> lookUp;
    private final LongSupplier nanoTime;
    private final ReentrantLock lock = new ReentrantLock();
    private @Nullable AwsCredentialsProvider current;
    private long madeNanos;

    RenewableCredentials(Supplier<AwsCredentialsProvider> lookUp, LongSupplier nanoTime) {
        this.lookUp = lookUp;
        this.nanoTime = nanoTime;
    }

    @Override
    public AwsCredentials resolveCredentials() {
        return provider().resolveCredentials();
    }

    /** The store did not take them. */
    void refused() {
        AwsCredentialsProvider old;
        lock.lock();
        try {
            old = current;
            if (old == null || nanoTime.getAsLong() - madeNanos < RENEW_EVERY_NANOS) {
                return;
            }
            current = null;
        } finally {
            lock.unlock();
        }
        LOG.debug("the store refused the credentials: they are looked up anew");
        close(old);
    }

    void close() {
        AwsCredentialsProvider old;
        lock.lock();
        try {
            old = current;
            current = null;
        } finally {
            lock.unlock();
        }
        if (old != null) {
            close(old);
        }
    }

    private AwsCredentialsProvider provider() {
        lock.lock();
        try {
            AwsCredentialsProvider known = current;
            if (known == null) {
                known = lookUp.get();
                current = known;
                madeNanos = nanoTime.getAsLong();
            }
            return known;
        } finally {
            lock.unlock();
        }
    }

    /** Some have threads that refresh them. */
    private static void close(AwsCredentialsProvider provider) {
        if (provider instanceof AutoCloseable closeable) {
            try {
                closeable.close();
            } catch (Exception failed) {
                LOG.warn("old credentials could not be closed: {}", failed.toString());
            }
        }
    }
}
