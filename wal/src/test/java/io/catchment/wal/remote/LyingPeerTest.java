package io.catchment.wal.remote;

import static io.catchment.wal.testing.WalFixture.append;
import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.wal.FrameKind;
import io.catchment.wal.Lane;
import io.catchment.wal.format.ExtentHeader;
import io.catchment.wal.format.FrameFormat;
import io.catchment.wal.testing.Frames;
import io.catchment.wal.testing.TestCluster;
import io.catchment.wal.testing.TestCluster.Node;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whoever speaks nonsense to a WAL's port loses the connection, and nothing else happens. */
final class LyingPeerTest {
    private static final int LIAR = 9;

    @TempDir
    Path dir;

    private TestCluster cluster;
    private Node node;

    @BeforeEach
    void start() throws IOException {
        cluster = new TestCluster(dir, 1, 1, config -> config);
        node = cluster.start(1);
    }

    @AfterEach
    void stop() {
        append(node.wal, Lane.NORMAL, Frames.data(1, 0, 1, 100));
        node.listener.await("acknowledged", 1);
        cluster.close();
    }

    private static byte[] message(MessageType type, long number, Consumer<Outgoing> fields, byte... payload) {
        Outgoing message = new Outgoing(UnpooledByteBufAllocator.DEFAULT, type, number);
        fields.accept(message);
        ByteBuf head = message.end(payload.length);
        byte[] all = ByteBufUtil.getBytes(Unpooled.wrappedBuffer(head, Unpooled.wrappedBuffer(payload)));
        head.release();
        return all;
    }

    private byte[] hello(String clusterId, String storeId) {
        return message(MessageType.HELLO, 0, fields -> fields.int64(Greeting.MAGIC)
                .int8(Greeting.VERSION)
                .int8(Traffic.NORMAL.ordinal())
                .int32(LIAR)
                .int32(1)
                .text(clusterId)
                .text(storeId));
    }

    private Socket connect() throws IOException {
        Socket socket =
                new Socket(cluster.address(1).getAddress(), cluster.address(1).getPort());
        socket.setSoTimeout(20_000);
        return socket;
    }

    private Socket greeted() throws IOException {
        Socket socket = connect();
        socket.getOutputStream().write(hello(TestCluster.CLUSTER, node.wal.storeId()));
        assertThat(answer(socket).type()).isEqualTo(MessageType.WELCOME);
        return socket;
    }

    private static Incoming answer(Socket socket) throws IOException {
        DataInputStream in = new DataInputStream(socket.getInputStream());
        byte[] bytes = new byte[in.readInt()];
        in.readFully(bytes);
        return new Incoming(Unpooled.wrappedBuffer(bytes));
    }

    private static String refused(Socket socket) throws IOException {
        Incoming answer = answer(socket);
        assertThat(answer.type()).isEqualTo(MessageType.FAILED);
        return String.valueOf(Refusals.decode(answer, "").getMessage());
    }

    private static void assertEnded(Socket socket) throws IOException {
        DataInputStream in = new DataInputStream(socket.getInputStream());
        try {
            while (true) {
                in.readByte();
            }
        } catch (EOFException ended) {
            socket.close();
        } catch (SocketException reset) {
            assertThat(reset).hasMessageContaining("reset");
            socket.close();
        }
    }

    @Test
    void whoNeverSaysWhoItIsLosesTheConnection() throws IOException {
        try (Socket silent = connect();
                Socket half = connect();
                Socket greeted = greeted()) {
            half.getOutputStream().write(hello(TestCluster.CLUSTER, node.wal.storeId()), 0, 20);
            assertEnded(silent);
            assertEnded(half);
            greeted.getOutputStream().write(message(MessageType.LENGTH, 1, fields -> fields.int64(77)));
            assertThat(answer(greeted).type()).isEqualTo(MessageType.NUMBER);
        }
    }

    @Test
    void aWriteBeyondAllPositionsIsRefused() throws IOException {
        try (Socket socket = greeted()) {
            socket.getOutputStream()
                    .write(message(
                            MessageType.APPEND,
                            1,
                            fields -> fields.int64(77)
                                    .int64(1)
                                    .int64(Long.MAX_VALUE - 1)
                                    .int32(0)
                                    .int64(0),
                            new byte[8]));
            assertThat(refused(socket)).contains("a write of 8 bytes at " + (Long.MAX_VALUE - 1));
            assertEnded(socket);
        }
    }

    @Test
    void complaintsAreOneASecondForEachKind() {
        long[] now = {Long.MAX_VALUE - 5};
        Complaints complaints = new Complaints(() -> now[0]);
        assertThat(complaints.brokeTheProtocol("one", false, "noise")).isTrue();
        assertThat(complaints.refused("two", "another cluster")).isFalse();
        assertThat(complaints.brokeTheProtocol("node 2", true, "noise")).isTrue();
        assertThat(complaints.brokeTheProtocol("node 2", true, "noise")).isFalse();
        now[0] += 1_000_000_000L;
        assertThat(complaints.brokeTheProtocol("one", false, "noise")).isTrue();
        assertThat(complaints.brokeTheProtocol("node 2", true, "noise")).isTrue();
    }

    @Test
    void garbageEndsTheConnection() throws IOException {
        SplittableRandom random = new SplittableRandom(7);
        for (int i = 0; i < 50; i++) {
            try (Socket socket = random.nextBoolean() ? connect() : greeted()) {
                byte[] garbage = new byte[1 + random.nextInt(3_000)];
                random.nextBytes(garbage);
                if (random.nextBoolean()) {
                    // A length that can be, then nonsense.
                    garbage = message(MessageType.CREATE, 1, fields -> {}, garbage);
                    garbage[8 + random.nextInt(12)] ^= 0x55;
                }
                socket.getOutputStream().write(garbage);
                socket.shutdownOutput();
                assertEnded(socket);
            }
        }
    }

    @Test
    void anotherClusterOrAnotherStoreIsRefused() throws IOException {
        try (Socket socket = connect()) {
            socket.getOutputStream().write(hello("other", node.wal.storeId()));
            assertThat(refused(socket)).contains("cluster");
            assertEnded(socket);
        }
        try (Socket socket = connect()) {
            socket.getOutputStream().write(hello(TestCluster.CLUSTER, "a-store-that-was"));
            assertThat(refused(socket)).contains("a-store-that-was");
            assertEnded(socket);
        }
    }

    @Test
    void aGroupWithAWrongChecksumOrPositionIsNeverWritten() throws IOException {
        ExtentHeader header = new ExtentHeader(77, LIAR, 5, Lane.NORMAL, 1);
        byte[] group = frame(77, 4096);
        for (int i = 0; i < 3; i++) {
            try (Socket socket = greeted()) {
                socket.getOutputStream().write(message(MessageType.CREATE, 1, fields -> fields.header(header)));
                assertThat(answer(socket).type()).isEqualTo(MessageType.DONE);
                byte[] sent = group.clone();
                long position = 4096;
                if (i == 0) {
                    sent[70] ^= 1;
                } else if (i == 1) {
                    position = 8192;
                    sent = frame(77, 8192);
                } else {
                    sent = frame(78, 4096);
                }
                long at = position;
                socket.getOutputStream()
                        .write(message(
                                MessageType.APPEND,
                                2,
                                fields -> fields.int64(77)
                                        .int64(5)
                                        .int64(at)
                                        .int32(1)
                                        .int64(0),
                                sent));
                assertThat(refused(socket)).contains("W3");
                assertEnded(socket);
            }
        }
        try (Socket socket = greeted()) {
            socket.getOutputStream()
                    .write(message(
                            MessageType.APPEND,
                            1,
                            fields -> fields.int64(77)
                                    .int64(5)
                                    .int64(4096)
                                    .int32(1)
                                    .int64(0),
                            group));
            Incoming appended = answer(socket);
            assertThat(appended.type()).isEqualTo(MessageType.APPENDED);
            assertThat(appended.int64()).isEqualTo(4096 + group.length);
        }
    }

    @Test
    void nobodyCreatesExtentsInAnothersName() throws IOException {
        try (Socket socket = greeted()) {
            ExtentHeader header = new ExtentHeader(77, 1, 5, Lane.NORMAL, 1);
            socket.getOutputStream().write(message(MessageType.CREATE, 1, fields -> fields.header(header)));
            assertThat(refused(socket)).contains("node 9 creates an extent of node 1");
            assertEnded(socket);
        }
    }

    /** A data frame as the README has it. */
    private static byte[] frame(long extentId, long position) {
        ByteBuffer frame = ByteBuffer.allocate(120);
        FrameFormat.putHeader(frame, 0, FrameKind.DATA, 60, 0, extentId, 3, 0, 0, 1, 1);
        CRC32C crc = new CRC32C();
        FrameFormat.updateWithFrame(crc, frame, 0, 60);
        FrameFormat.putCrc(frame.clear(), 0, (int) crc.getValue());
        assertThat(position % 8).isZero();
        return frame.array();
    }
}
