package io.catchment.objectstore.s3;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;

class RenewableCredentialsTest {
    private final AtomicLong clock = new AtomicLong();
    private final List<Looked> looked = new ArrayList<>();
    private final RenewableCredentials credentials = new RenewableCredentials(this::lookUp, clock::get);

    private AwsCredentialsProvider lookUp() {
        Looked one = new Looked(looked.size());
        looked.add(one);
        return one;
    }

    @Test
    void areLookedUpOnceUntilTheyAreRefused() {
        assertThat(credentials.resolveCredentials().accessKeyId()).isEqualTo("key-0");
        assertThat(credentials.resolveCredentials().accessKeyId()).isEqualTo("key-0");
        clock.addAndGet(TimeUnit.SECONDS.toNanos(1));
        credentials.refused();
        assertThat(looked.get(0).closed).isTrue();
        assertThat(credentials.resolveCredentials().accessKeyId()).isEqualTo("key-1");
    }

    @Test
    void manyRefusalsAtATimeAreOneLookUp() {
        credentials.resolveCredentials();
        clock.addAndGet(TimeUnit.SECONDS.toNanos(1));
        for (int i = 0; i < 10; i++) {
            credentials.refused();
            credentials.resolveCredentials();
        }
        assertThat(looked).hasSize(2);
        clock.addAndGet(TimeUnit.SECONDS.toNanos(1));
        credentials.refused();
        credentials.resolveCredentials();
        assertThat(looked).hasSize(3);
    }

    @Test
    void closeFreesWhatTheyCameFrom() {
        credentials.resolveCredentials();
        credentials.close();
        assertThat(looked.get(0).closed).isTrue();
    }

    private static final class Looked implements AwsCredentialsProvider, AutoCloseable {
        private final int number;
        private boolean closed;

        Looked(int number) {
            this.number = number;
        }

        @Override
        public AwsCredentials resolveCredentials() {
            return AwsBasicCredentials.create("key-" + number, "secret");
        }

        @Override
        public void close() {
            closed = true;
        }
    }
}
