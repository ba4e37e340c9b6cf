package io.catchment.controlplane.server;

import io.catchment.controlplane.ControllerEndpoint;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import org.jspecify.annotations.Nullable;

/** The least network that a controller endpoint can be behind: a thread per connection, one request after the other. */
final class FrameServer implements AutoCloseable {
    private final ServerSocket server;
    private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
    private final Set<String> refused = ConcurrentHashMap.newKeySet();
    private volatile @Nullable ControllerEndpoint endpoint;
    private volatile boolean closed;

    /** Listens at once, on a free port, and serves once it is given an endpoint. */
    FrameServer() throws IOException {
        this(0);
    }

    FrameServer(int port) throws IOException {
        server = new ServerSocket();
        server.setReuseAddress(true);
        server.bind(new java.net.InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        daemon(this::accept);
    }

    int port() {
        return server.getLocalPort();
    }

    void serve(ControllerEndpoint newEndpoint) {
        endpoint = newEndpoint;
    }

    /** Requests of this Kafka client end their connections, as if its packets were lost. */
    void refuse(String clientId) {
        refused.add(clientId);
    }

    private boolean isRefused(byte[] frame) {
        int lengthAt = 2 * Short.BYTES + Integer.BYTES;
        if (frame.length < lengthAt + Short.BYTES) {
            return false;
        }
        short length = ByteBuffer.wrap(frame).getShort(lengthAt);
        return length > 0
                && refused.contains(
                        new String(frame, lengthAt + Short.BYTES, length, java.nio.charset.StandardCharsets.UTF_8));
    }

    private void accept() {
        try {
            while (true) {
                Socket socket = server.accept();
                sockets.add(socket);
                if (closed) {
                    // Accepted before the end and added after it: nobody else would close it
                    socket.close();
                }
                daemon(() -> talk(socket));
            }
        } catch (IOException e) {
            // Closed
        }
    }

    private void talk(Socket socket) {
        try (socket) {
            DataInputStream in = new DataInputStream(socket.getInputStream());
            DataOutputStream out = new DataOutputStream(socket.getOutputStream());
            while (true) {
                byte[] frame = new byte[in.readInt()];
                in.readFully(frame);
                ControllerEndpoint to = endpoint;
                if (to == null || isRefused(frame)) {
                    return;
                }
                write(
                        out,
                        to.handle(ByteBuffer.wrap(frame), socket.getInetAddress())
                                .toCompletableFuture()
                                .get());
            }
        } catch (IOException | ExecutionException e) {
            // The connection ends, as it would with any server
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            sockets.remove(socket);
        }
    }

    private static void write(DataOutputStream out, ByteBuffer[] response) throws IOException {
        int length = 0;
        for (ByteBuffer part : response) {
            length += part.remaining();
        }
        out.writeInt(length);
        for (ByteBuffer part : response) {
            byte[] bytes = new byte[part.remaining()];
            part.get(bytes);
            out.write(bytes);
        }
        out.flush();
    }

    private static void daemon(Runnable work) {
        Thread thread = new Thread(work, "frame-server");
        thread.setDaemon(true);
        thread.start();
    }

    @Override
    public void close() throws IOException {
        closed = true;
        server.close();
        for (Socket socket : sockets) {
            socket.close();
        }
    }
}
