package io.catchment.controlplane.rpc;

import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import io.catchment.controlplane.ControllerEndpoint;
import io.catchment.controlplane.proto.CommandRequest;
import io.catchment.controlplane.proto.CommandResponse;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;

/** The frames of our own request and its response, without the length before them; see {@link ControllerEndpoint}. */
public final class CommandFrames {
    private static final short VERSION = 0;
    private static final byte NO_TAGGED_FIELDS = 0;
    private static final int REQUEST_HEADER_BYTES = 2 + 2 + 4 + 2 + 1;
    private static final int RESPONSE_HEADER_BYTES = 4 + 1;

    private CommandFrames() {}

    /** A request that was read. */
    public record Request(int correlationId, CommandRequest body) {}

    /** A response that was read. */
    public record Response(int correlationId, CommandResponse body) {}

    public static short apiKey(ByteBuffer frame) {
        return frame.getShort(frame.position());
    }

    /** @throws IllegalArgumentException when it is not such a frame */
    public static Request readRequest(ByteBuffer frame) {
        try {
            short apiKey = frame.getShort();
            short version = frame.getShort();
            int correlationId = frame.getInt();
            short clientIdBytes = frame.getShort();
            if (apiKey != ControllerEndpoint.COMMAND_API_KEY || version != VERSION || clientIdBytes < -1) {
                throw new IllegalArgumentException("request of API " + apiKey + " version " + version);
            }
            frame.position(frame.position() + Math.max(clientIdBytes, 0));
            skipNoTags(frame);
            return new Request(correlationId, parse(CommandRequest.parser(), frame));
        } catch (BufferUnderflowException e) {
            throw new IllegalArgumentException("a command request ends in its header", e);
        }
    }

    public static ByteBuffer writeRequest(int correlationId, CommandRequest body) {
        ByteBuffer frame = ByteBuffer.allocate(REQUEST_HEADER_BYTES + body.getSerializedSize());
        frame.putShort(ControllerEndpoint.COMMAND_API_KEY)
                .putShort(VERSION)
                .putInt(correlationId)
                .putShort((short) -1)
                .put(NO_TAGGED_FIELDS);
        return finish(frame, body);
    }

    /** @throws IllegalArgumentException when it is not such a frame */
    public static Response readResponse(ByteBuffer frame) {
        try {
            int correlationId = frame.getInt();
            skipNoTags(frame);
            return new Response(correlationId, parse(CommandResponse.parser(), frame));
        } catch (BufferUnderflowException e) {
            throw new IllegalArgumentException("a command response ends in its header", e);
        }
    }

    public static ByteBuffer writeResponse(int correlationId, CommandResponse body) {
        ByteBuffer frame = ByteBuffer.allocate(RESPONSE_HEADER_BYTES + body.getSerializedSize());
        frame.putInt(correlationId).put(NO_TAGGED_FIELDS);
        return finish(frame, body);
    }

    private static void skipNoTags(ByteBuffer frame) {
        if (frame.get() != NO_TAGGED_FIELDS) {
            throw new IllegalArgumentException("tagged fields in the header of a command frame");
        }
    }

    private static <M> M parse(Parser<M> parser, ByteBuffer frame) {
        try {
            return parser.parseFrom(frame);
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalArgumentException("the body of a command frame cannot be read", e);
        }
    }

    private static ByteBuffer finish(ByteBuffer frame, MessageLite body) {
        try {
            CodedOutputStream out = CodedOutputStream.newInstance(frame.slice());
            body.writeTo(out);
            out.flush();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return frame.rewind();
    }
}
