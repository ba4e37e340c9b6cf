package io.catchment.controlplane.rpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.catchment.controlplane.proto.CommandRequest;
import io.catchment.controlplane.proto.CommandResponse;
import io.catchment.controlplane.proto.Hello;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.apache.kafka.common.network.ListenerName;
import org.apache.kafka.common.utils.Time;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class LeaderConnectionTest {
    private static final long SILENCE_MS = 300;
    private static final CommandRequest REQUEST =
            CommandRequest.newBuilder().setHello(Hello.getDefaultInstance()).build();

    private final ServerSocket controller = new ServerSocket(0, 10, InetAddress.getLoopbackAddress());
    private final InetSocketAddress address =
            new InetSocketAddress(InetAddress.getLoopbackAddress(), controller.getLocalPort());
    private final ExecutorService controllerThread = Executors.newSingleThreadExecutor();
    private final FailingTime time = new FailingTime();
    private final LeaderConnection connection =
            new LeaderConnection(new ListenerName("CONTROLLER"), 1, time, SILENCE_MS);

    LeaderConnectionTest() throws IOException {}

    @AfterEach
    void close() throws IOException {
        connection.close();
        controller.close();
        controllerThread.shutdownNow();
    }

    @Test
    void aConnectionWithoutAnAnswerIsGivenUpAndTheNextRequestMakesAnother() throws Exception {
        Future<Socket> stalled = controllerThread.submit(controller::accept);
        CompletableFuture<CommandResponse> lost = connection.send(address, REQUEST);
        try (Socket first = stalled.get(60, TimeUnit.SECONDS)) {
            assertThatThrownBy(() -> lost.get(60, TimeUnit.SECONDS))
                    .isInstanceOf(ExecutionException.class)
                    .cause()
                    .as("it may have arrived")
                    .isInstanceOf(IOException.class)
                    .isNotInstanceOf(LeaderConnection.NotSentException.class);
            assertThat(first.getInputStream().readNBytes(4)).as("it did").hasSize(4);

            var unused = controllerThread.submit(this::answerOne);
            CompletableFuture<CommandResponse> next = connection.send(address, REQUEST);
            assertThat(next.get(60, TimeUnit.SECONDS).getOffset()).isEqualTo(77);
        }
    }

    @Test
    void errorsDoNotEndTheThreadNorKeepItBusy() throws Exception {
        time.fail.set(3);
        var unused = controllerThread.submit(this::answerOne);
        CommandResponse answer = null;
        while (answer == null) {
            try {
                answer = connection.send(address, REQUEST).get(60, TimeUnit.SECONDS);
            } catch (ExecutionException e) {
                assertThat(e)
                        .cause()
                        .as("it struck while this was taken")
                        .isInstanceOf(LeaderConnection.NotSentException.class);
            }
        }
        assertThat(answer.getOffset()).isEqualTo(77);
        assertThat(time.fail).as("the thread has failed").hasValue(0);
        assertThat(time.pausesMs).as("and has paused").containsExactly(10L, 20L, 40L);
    }

    private @Nullable Void answerOne() throws IOException {
        try (Socket socket = controller.accept()) {
            DataInputStream in = new DataInputStream(socket.getInputStream());
            byte[] frame = new byte[in.readInt()];
            in.readFully(frame);
            int id = CommandFrames.readRequest(ByteBuffer.wrap(frame)).correlationId();
            ByteBuffer answer = CommandFrames.writeResponse(
                    id, CommandResponse.newBuilder().setOffset(77).build());
            DataOutputStream out = new DataOutputStream(socket.getOutputStream());
            out.writeInt(answer.remaining());
            out.write(answer.array(), answer.position(), answer.remaining());
            // Until the other side has it, and closes
            assertThat(in.read()).isNegative();
        }
        return null;
    }

    /** The system's, but for want of memory on the connection's thread, so many times. */
    private static final class FailingTime implements Time {
        private final AtomicInteger fail = new AtomicInteger();
        private final List<Long> pausesMs = new CopyOnWriteArrayList<>();

        @Override
        public long milliseconds() {
            return SYSTEM.milliseconds();
        }

        @Override
        public long nanoseconds() {
            if (Thread.currentThread().getName().startsWith("commands-") && fail.get() > 0) {
                fail.decrementAndGet();
                throw new OutOfMemoryError("as if there were no direct memory");
            }
            return SYSTEM.nanoseconds();
        }

        @Override
        public void sleep(long ms) {
            pausesMs.add(ms);
            SYSTEM.sleep(ms);
        }

        @Override
        public void waitObject(Object object, Supplier<Boolean> condition, long deadlineMs)
                throws InterruptedException {
            SYSTEM.waitObject(object, condition, deadlineMs);
        }
    }
}
