package io.catchment.controlplane.server;

import io.catchment.controlplane.proto.CommandRequest;
import io.catchment.controlplane.proto.CommandResponse;
import io.catchment.controlplane.proto.CommandResponse.Status;
import io.catchment.controlplane.rpc.LeaderConnection;
import java.net.InetSocketAddress;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The way to a remote controller over a connection that is made when it is first needed. Thread-safe. */
final class ConnectedController implements RemoteController {
    private final Supplier<LeaderConnection> connect;
    private @Nullable LeaderConnection connection;

    ConnectedController(Supplier<LeaderConnection> connect) {
        this.connect = connect;
    }

    @Override
    public void send(InetSocketAddress controller, CommandRequest request, Consumer<CommandResponse> answer) {
        send(controller, request, answer, () -> {});
    }

    @Override
    @SuppressWarnings("FutureReturnValueIgnored") // what follows is done in the callback
    public void send(
            InetSocketAddress controller, CommandRequest request, Consumer<CommandResponse> answer, Runnable refused) {
        connection().send(controller, request).whenComplete((response, failure) -> {
            if (response != null) {
                answer.accept(response);
            } else {
                if (failure instanceof LeaderConnection.RefusedException) {
                    refused.run();
                }
                answer.accept(CommandResponse.newBuilder()
                        .setStatus(
                                failure instanceof LeaderConnection.NotSentException
                                        ? Status.UNAVAILABLE
                                        : Status.UNCERTAIN)
                        .setMessage("controller at " + controller + ": " + failure)
                        .build());
            }
        });
    }

    private synchronized LeaderConnection connection() {
        LeaderConnection present = connection;
        if (present == null) {
            present = connect.get();
            connection = present;
        }
        return present;
    }

    @Override
    public void close() {
        LeaderConnection present;
        synchronized (this) {
            present = connection;
        }
        if (present != null) {
            present.close();
        }
    }
}
