package io.catchment.controlplane.server;

import com.google.protobuf.ByteString;
import io.catchment.controlplane.CommandException;
import io.catchment.controlplane.CommandException.Reason;
import io.catchment.controlplane.log.Leadership;
import io.catchment.controlplane.log.ReplicatedLog;
import io.catchment.controlplane.proto.CommandRequest;
import io.catchment.controlplane.proto.CommandResponse;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

/** Takes a question about the log to the active controller, on this node or another. Thread-safe: the way is chosen on the control loop. */
final class ControllerQuestions {
    private final ControlLoop loop;
    private final Supplier<Leadership> leadership;
    private final int nodeId;
    private final String clusterId;
    private final ReplicatedLog log;
    private final RemoteController remote;

    /** @param leadership asked on the loop */
    ControllerQuestions(
            ControlLoop loop,
            Supplier<Leadership> leadership,
            int nodeId,
            String clusterId,
            ReplicatedLog log,
            RemoteController remote) {
        this.loop = loop;
        this.leadership = leadership;
        this.nodeId = nodeId;
        this.clusterId = clusterId;
        this.log = log;
        this.remote = remote;
    }

    /** The frame is free once this returns. */
    CompletionStage<ByteBuffer> ask(ByteBuffer frame) {
        ByteString request = ByteString.copyFrom(frame);
        CompletableFuture<ByteBuffer> answer = new CompletableFuture<>();
        if (!loop.execute(() -> route(request, answer))) {
            fail(answer, "this node is closing");
        }
        return answer;
    }

    private void route(ByteString request, CompletableFuture<ByteBuffer> answer) {
        Leadership now = leadership.get();
        if (now.is(nodeId)) {
            var unused = log.answer(request.asReadOnlyByteBuffer()).whenComplete((response, failure) -> {
                if (failure == null) {
                    answer.complete(response);
                } else {
                    fail(answer, String.valueOf(failure));
                }
            });
            return;
        }
        Optional<InetSocketAddress> address = log.address(now.leaderId());
        if (now.leaderId() == Leadership.NOBODY || address.isEmpty()) {
            fail(answer, "no active controller is known");
            return;
        }
        CommandRequest question = CommandRequest.newBuilder()
                .setClusterId(clusterId)
                .setKafkaRequest(request)
                .build();
        remote.send(address.get(), question, response -> answered(response, answer));
    }

    private static void answered(CommandResponse response, CompletableFuture<ByteBuffer> answer) {
        if (response.getAnswer().hasKafkaResponse()) {
            answer.complete(response.getAnswer().getKafkaResponse().asReadOnlyByteBuffer());
        } else {
            fail(answer, response.getMessage());
        }
    }

    private static void fail(CompletableFuture<ByteBuffer> answer, String message) {
        answer.completeExceptionally(new CommandException(Reason.UNAVAILABLE, message));
    }
}
