package io.catchment.controlplane;

import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletionStage;

/**
 * Where the control plane's requests come in. The network owner gives it every frame that arrives on the node's controller
 * listener, and a listener of its own it must be: Fetch, ApiVersions and DescribeCluster mean something else here than on a
 * client listener.
 *
 * <p><b>Frames.</b> Kafka's framing: four bytes of length, big endian, then that many bytes. {@link #handle} takes the bytes after
 * the length (API key, API version, correlation id, client id, …) and gives the bytes that go after the response's length; the
 * network owner reads and writes the length itself. Requests may be answered in any order, but one connection's responses
 * must leave in the order of its requests, as everywhere in Kafka. Accept frames of at least {@link #FRAME_BYTES_MAX}.
 *
 * <p><b>APIs.</b> Kafka's Vote, BeginQuorumEpoch, EndQuorumEpoch, Fetch, FetchSnapshot, DescribeQuorum, AddRaftVoter,
 * RemoveRaftVoter, UpdateRaftVoter, ApiVersions and DescribeCluster (of controllers), so that other controllers, observers and
 * {@code kafka-metadata-quorum --bootstrap-controller} are served; and {@link #COMMAND_API_KEY}, our own request with a command
 * for the active controller: Kafka's request header version 2 (int16 API key, int16 API version 0, int32 correlation id, int16
 * length and bytes of the client id or length -1, one byte 0 for no tagged fields), then a CommandRequest of rpc.proto; the response
 * is header version 1 (int32 correlation id, one byte 0), then a CommandResponse. Its key lies outside Kafka's range, so a
 * frame decoder must not look it up among Kafka's.
 *
 * <p>Thread-safe; never blocks.
 */
public interface ControllerEndpoint {

    /** Of the request that carries a command. */
    short COMMAND_API_KEY = 20_001;

    /** The largest request: a command of the largest batch, with room. */
    int FRAME_BYTES_MAX = 16 * 1024 * 1024;

    /** Whether {@link #handle} answers this API; it fails for any other. */
    boolean takes(short apiKey);

    /**
     * Takes a request frame, from its position to its limit; it may be reused as soon as this returns. The stage completes, on any
     * thread, with the response frame (buffers to be written one after the other), or fails when the frame makes no sense
     * or the node is closing: close the connection then.
     */
    CompletionStage<ByteBuffer[]> handle(ByteBuffer frame, InetAddress client);
}
