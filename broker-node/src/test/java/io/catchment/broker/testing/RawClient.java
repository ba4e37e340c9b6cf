package io.catchment.broker.testing;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import org.apache.kafka.common.message.RequestHeaderData;
import org.apache.kafka.common.message.ResponseHeaderData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.MessageUtil;

/**
 * Speaks any version of any API over a plain socket, by Kafka's generated messages and nothing above them: no builder that refuses or
 * adjusts, no retry. One thread.
 */
public final class RawClient implements AutoCloseable {
    private static final int TIMEOUT_MS = 30_000;

    private final Socket socket;
    private final DataInputStream in;
    private final OutputStream out;
    private int correlationId;

    public RawClient(int port) throws IOException {
        socket = new Socket(InetAddress.getLoopbackAddress(), port);
        socket.setSoTimeout(TIMEOUT_MS);
        socket.setTcpNoDelay(true);
        in = new DataInputStream(socket.getInputStream());
        out = socket.getOutputStream();
    }

    /** The answer, which must be of exactly this version: every byte of the frame belongs to it. */
    public <T extends ApiMessage> T call(ApiKeys api, short version, ApiMessage request) throws IOException {
        send(api, version, version, request);
        return receive(api, version);
    }

    /** @param claimed the version that the header claims; the body is of {@code version} */
    public void send(ApiKeys api, short version, short claimed, ApiMessage request) throws IOException {
        RequestHeaderData header = new RequestHeaderData()
                .setRequestApiKey(api.id)
                .setRequestApiVersion(claimed)
                .setCorrelationId(++correlationId)
                .setClientId("raw");
        ByteBuffer head = MessageUtil.toByteBufferAccessor(header, api.requestHeaderVersion(version))
                .buffer();
        ByteBuffer body = MessageUtil.toByteBufferAccessor(request, version).buffer();
        ByteBuffer frame = ByteBuffer.allocate(4 + head.remaining() + body.remaining());
        frame.putInt(frame.capacity() - 4).put(head).put(body);
        send(frame.array());
    }

    public void send(byte[] bytes) throws IOException {
        out.write(bytes);
        out.flush();
    }

    /** The answer to the last request. */
    @SuppressWarnings("unchecked")
    public <T extends ApiMessage> T receive(ApiKeys api, short version) throws IOException {
        byte[] bytes = new byte[in.readInt()];
        in.readFully(bytes);
        ByteBufferAccessor frame = new ByteBufferAccessor(ByteBuffer.wrap(bytes));
        int answered = new ResponseHeaderData(frame, api.responseHeaderVersion(version)).correlationId();
        if (answered != correlationId) {
            throw new AssertionError("answer to request " + answered + ", not to " + correlationId);
        }
        ApiMessage answer = api.messageType.newResponse();
        answer.read(frame, version);
        if (frame.remaining() != 0) {
            throw new AssertionError(frame.remaining() + " bytes behind the answer to " + api + " version " + version);
        }
        return (T) answer;
    }

    /** Whether the server ends the connection without a further byte. Waits for it. */
    public boolean isClosedByServer() throws IOException {
        try {
            return in.read() < 0;
        } catch (SocketException reset) {
            return true;
        }
    }

    public Socket socket() {
        return socket;
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
