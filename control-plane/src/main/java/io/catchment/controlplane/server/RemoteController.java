package io.catchment.controlplane.server;

import io.catchment.controlplane.proto.CommandRequest;
import io.catchment.controlplane.proto.CommandResponse;
import java.net.InetSocketAddress;
import java.util.function.Consumer;

/** Sends commands to a controller on another node. Thread-safe. */
interface RemoteController extends AutoCloseable {
    /** Answers once, on any thread; UNCERTAIN when the controller may or may not have got it, UNAVAILABLE when it did not. */
    void send(InetSocketAddress controller, CommandRequest request, Consumer<CommandResponse> answer);

    /**
     * The same for what is sent all the time anyway and so finds out first when nobody is there: {@code refused} is run before the answer when
     * nobody listens at the address (connection refused).
     */
    void send(InetSocketAddress controller, CommandRequest request, Consumer<CommandResponse> answer, Runnable refused);

    @Override
    void close();
}
