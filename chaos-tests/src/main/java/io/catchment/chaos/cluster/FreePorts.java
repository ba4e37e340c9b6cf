package io.catchment.chaos.cluster;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.concurrent.ThreadLocalRandom;

/** Ports nobody listens on, below the range of outgoing connections. */
public final class FreePorts {
    private FreePorts() {}

    /** The first of two neighbours. */
    public static int pair() {
        for (int attempt = 0; attempt < 200; attempt++) {
            int port = 10_000 + ThreadLocalRandom.current().nextInt(22_000);
            if (free(port) && free(port + 1)) {
                return port;
            }
        }
        throw new IllegalStateException("no two free ports found");
    }

    private static boolean free(int port) {
        try (var socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
            return socket.isBound();
        } catch (IOException e) {
            return false;
        }
    }
}
