package io.catchment.broker.network;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.requests.AbstractRequest;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.common.requests.ApiVersionsRequest;
import org.apache.kafka.common.requests.ProduceRequest;
import org.apache.kafka.common.requests.RequestHeader;

/** A client that writes bytes to a socket and nothing else, to say things no real client says. One thread. */
final class WireClient implements AutoCloseable {
    static final int TIMEOUT_MS = 20_000;

    final Socket socket;
    private final DataInputStream in;
    private final OutputStream out;

    WireClient(int port) throws IOException {
        socket = new Socket(InetAddress.getLoopbackAddress(), port);
        socket.setSoTimeout(TIMEOUT_MS);
        socket.setTcpNoDelay(true);
        in = new DataInputStream(socket.getInputStream());
        out = socket.getOutputStream();
    }

    static byte[] frame(RequestHeader header, AbstractRequest request) {
        ByteBuffer body = request.serializeWithHeader(header);
        return ByteBuffer.allocate(4 + body.remaining())
                .putInt(body.remaining())
                .put(body)
                .array();
    }

    static byte[] apiVersions(int correlationId) {
        short version = ApiKeys.API_VERSIONS.latestVersion();
        return frame(
                new RequestHeader(ApiKeys.API_VERSIONS, version, "wire", correlationId),
                new ApiVersionsRequest.Builder(version).build(version));
    }

    /** One partition whose records field is {@code records}, not necessarily valid. */
    static byte[] produce(int correlationId, short acks, ByteBuffer records) {
        ProduceRequestData data = new ProduceRequestData().setAcks(acks).setTimeoutMs(30_000);
        ProduceRequestData.TopicProduceData topic = new ProduceRequestData.TopicProduceData().setName("t");
        topic.partitionData()
                .add(new ProduceRequestData.PartitionProduceData()
                        .setIndex(0)
                        .setRecords(MemoryRecords.readableRecords(records)));
        data.topicData().add(topic);
        short version = 12;
        return frame(
                new RequestHeader(ApiKeys.PRODUCE, version, "wire", correlationId), new ProduceRequest(data, version));
    }

    WireClient send(byte[] bytes) throws IOException {
        return send(bytes, 0, bytes.length);
    }

    WireClient send(byte[] bytes, int from, int length) throws IOException {
        out.write(bytes, from, length);
        out.flush();
        return this;
    }

    ByteBuffer receive() throws IOException {
        byte[] frame = new byte[in.readInt()];
        in.readFully(frame);
        return ByteBuffer.wrap(frame);
    }

    int receiveCorrelationId() throws IOException {
        return receive().getInt(0);
    }

    AbstractResponse receive(ApiKeys api, short version) throws IOException {
        ByteBuffer frame = receive();
        return AbstractResponse.parseResponse(frame, new RequestHeader(api, version, "wire", frame.getInt(0)));
    }

    /** Whether the server has ended the connection (without sending anything more). Waits for it. */
    boolean isClosedByServer() throws IOException {
        try {
            return in.read() < 0;
        } catch (EOFException | SocketException reset) {
            return true;
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
