package io.catchment.controlplane.server;

import io.catchment.controlplane.proto.CommandRequest;
import io.catchment.controlplane.proto.CommandResponse;
import java.net.InetSocketAddress;
import java.util.function.Consumer;

/** Sends commands to a controller on another node. Thread-safe. */
interface RemoteController extends AutoCloseable {
    /** Answers once, on any thread; UNCERTAIN when the controller may or may not have got it, UNAVAILABLE when it did not. */
    void send(InetSocketAddress controller, CommandRequest request, Consumer<CommandResponse> answer);

    @Override
    void close();
}
