package io.catchment.broker.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.wal.link.Link;
import io.catchment.wal.link.LinkHandler;
import io.catchment.wal.link.Network;
import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Node 1 watches node 2; the test runs each look and moves the clock by hand. */
class PeerWatchTest {
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
    private final BlockingQueue<Runnable> looks = new LinkedBlockingQueue<>();
    private final Peers network = new Peers();
    private volatile Set<Integer> nodes = Set.of(1, 2);
    private volatile long nowNanos;
    private final PeerWatch watch = new PeerWatch(1, () -> nodes, network, () -> nowNanos, timer, looks::add);

    @AfterEach
    void close() {
        watch.close();
        timer.shutdownNow();
    }

    private void look() throws InterruptedException {
        Runnable next = looks.poll(20, TimeUnit.SECONDS);
        assertThat(next).isNotNull();
        next.run();
    }

    private void afterMs(long ms) {
        nowNanos += TimeUnit.MILLISECONDS.toNanos(ms);
    }

    @Test
    void aKilledPeerIsUnreachableAtOnce() throws Exception {
        look();
        afterMs(5_000);
        network.refusing = true;
        network.end(0);
        assertThat(network.asked).isEqualTo(2);
        assertThat(watch.unreachableMs()).containsExactly(Map.entry(2, 0L));
        afterMs(300);
        look();
        assertThat(watch.unreachableMs()).as("since the first refusal").containsExactly(Map.entry(2, 300L));
    }

    @Test
    void aPeerThatIsBackIsReachable() throws Exception {
        network.refusing = true;
        look();
        assertThat(watch.unreachableMs()).containsOnlyKeys(2);
        network.refusing = false;
        look();
        assertThat(watch.unreachableMs()).isEmpty();
    }

    @Test
    void aConnectionThatEndsSoonIsMadeAnewByTheNextLookOnly() throws Exception {
        look();
        network.end(0);
        assertThat(network.asked).isEqualTo(1);
        look();
        assertThat(network.asked).isEqualTo(2);
        assertThat(watch.unreachableMs()).isEmpty();
    }

    @Test
    void aConnectionThatEndedBeforeItWasKnownIsMadeAnew() throws Exception {
        network.endingAtOnce = true;
        look();
        network.endingAtOnce = false;
        look();
        assertThat(network.asked).isEqualTo(2);
        look();
        assertThat(network.asked).as("the second one lasts").isEqualTo(2);
    }

    @Test
    void anAttemptThatThrowsIsFollowedByAnother() throws Exception {
        network.throwing = true;
        look();
        assertThat(watch.unreachableMs()).containsOnlyKeys(2);
        network.throwing = false;
        look();
        assertThat(network.asked).isEqualTo(2);
        assertThat(watch.unreachableMs()).isEmpty();
    }

    @Test
    void aNodeThatIsGoneFromTheClusterIsForgotten() throws Exception {
        network.refusing = true;
        look();
        nodes = Set.of(1);
        look();
        assertThat(watch.unreachableMs()).isEmpty();
    }

    @Test
    void theEndClosesItsConnections() throws Exception {
        look();
        watch.close();
        assertThat(network.closed).isEqualTo(1);
    }

    private static final class Peers implements Network {
        private final List<LinkHandler> handlers = new ArrayList<>();
        private boolean refusing;
        private boolean throwing;
        private boolean endingAtOnce;
        private int asked;
        private int closed;

        void end(int connection) {
            handlers.get(connection).closed("injected");
        }

        @Override
        public CompletionStage<Link> connect(int nodeId, LinkHandler handler) {
            asked++;
            if (throwing) {
                throw new IllegalStateException("injected");
            }
            if (refusing) {
                return CompletableFuture.failedFuture(new IOException("refused"));
            }
            handlers.add(handler);
            if (endingAtOnce) {
                handler.closed("injected");
            }
            return CompletableFuture.completedFuture(new IdleLink());
        }

        @Override
        public void close() {}

        private final class IdleLink implements Link {
            @Override
            public void send(ByteBuf head, List<ByteBuf> payload) {
                throw new AssertionError("nothing is said");
            }

            @Override
            public void messageBytesMax(int bytes) {}

            @Override
            public void pauseReading(boolean paused) {}

            @Override
            public void close(String why) {
                closed++;
            }

            @Override
            public String peer() {
                return "peer";
            }
        }
    }
}
