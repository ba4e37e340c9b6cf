package io.catchment.controlplane.server;

import com.google.protobuf.ByteString;
import io.catchment.controlplane.ControllerEndpoint;
import io.catchment.controlplane.proto.Answer;
import io.catchment.controlplane.proto.CommandRequest;
import io.catchment.controlplane.proto.CommandResponse;
import io.catchment.controlplane.proto.CommandResponse.Status;
import io.catchment.controlplane.raft.KafkaReplicatedLog;
import io.catchment.controlplane.rpc.CommandFrames;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Sends each request frame to whom it is for: Kafka's to the log, commands to the node. Thread-safe. */
final class NodeEndpoint implements ControllerEndpoint {
    private final ControlPlaneNode node;
    private final KafkaReplicatedLog log;

    NodeEndpoint(ControlPlaneNode node, KafkaReplicatedLog log) {
        this.node = node;
        this.log = log;
    }

    @Override
    public boolean takes(short apiKey) {
        return apiKey == COMMAND_API_KEY || KafkaReplicatedLog.takes(apiKey);
    }

    @Override
    public CompletionStage<ByteBuffer[]> handle(ByteBuffer frame, InetAddress client) {
        if (frame.remaining() < Short.BYTES) {
            return CompletableFuture.failedFuture(new IllegalArgumentException("a request frame without an API key"));
        }
        if (CommandFrames.apiKey(frame) != COMMAND_API_KEY) {
            return log.handle(frame, client).thenApply(response -> new ByteBuffer[] {response});
        }
        CompletableFuture<ByteBuffer[]> response = new CompletableFuture<>();
        try {
            CommandFrames.Request request = CommandFrames.readRequest(frame);
            if (request.body().hasHello()) {
                return CompletableFuture.completedFuture(
                        new ByteBuffer[] {CommandFrames.writeResponse(request.correlationId(), hello(request.body()))});
            }
            if (request.body().hasKafkaRequest()) {
                return log.answer(request.body().getKafkaRequest().asReadOnlyByteBuffer())
                        .thenApply(answer -> new ByteBuffer[] {
                            CommandFrames.writeResponse(request.correlationId(), kafkaResponse(answer))
                        });
            }
            node.handle(
                    request.body(),
                    answer -> response.complete(
                            new ByteBuffer[] {CommandFrames.writeResponse(request.correlationId(), answer)}));
        } catch (IllegalArgumentException e) {
            response.completeExceptionally(e);
        }
        return response;
    }

    private static CommandResponse kafkaResponse(ByteBuffer answer) {
        return CommandResponse.newBuilder()
                .setStatus(Status.DONE)
                .setOffset(-1)
                .setAnswer(Answer.newBuilder().setKafkaResponse(ByteString.copyFrom(answer)))
                .build();
    }

    private CommandResponse hello(CommandRequest request) {
        boolean isOurs = request.getClusterId().equals(node.image().clusterId());
        return CommandResponse.newBuilder()
                .setStatus(isOurs ? Status.DONE : Status.INVALID)
                .setMessage(isOurs ? "" : "this is cluster " + node.image().clusterId())
                .setOffset(-1)
                .setAnswer(Answer.newBuilder()
                        .setKnowledge(Answer.Knowledge.newBuilder().setHasState(log.hasState())))
                .build();
    }
}
