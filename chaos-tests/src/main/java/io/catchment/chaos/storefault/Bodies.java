package io.catchment.chaos.storefault;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import java.nio.charset.StandardCharsets;

/** What faults do to bodies. */
final class Bodies {
    private Bodies() {}

    /** The first half of these bytes, of a body that goes on; takes them over. */
    static HttpContent half(HttpContent content) {
        ByteBuf half = content.content().readRetainedSlice(content.content().readableBytes() / 2);
        content.release();
        return new DefaultHttpContent(half);
    }

    /** Changes one bit in the middle, in place: nobody else has these bytes. */
    static void flip(ByteBuf body) {
        int at = body.readerIndex() + body.readableBytes() / 2;
        body.setByte(at, body.getByte(at) ^ 0x10);
    }

    /** As S3 words it; without a body in answer to HEAD. */
    static FullHttpResponse errorAnswer(Fault.Answer answer, boolean head) {
        ByteBuf body = head
                ? Unpooled.EMPTY_BUFFER
                : Unpooled.copiedBuffer(
                        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>" + answer.code() + "</Code><Message>"
                                + answer.message() + "</Message><RequestId>fault</RequestId></Error>",
                        StandardCharsets.UTF_8);
        FullHttpResponse response =
                new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.valueOf(answer.status()), body);
        response.headers()
                .set(HttpHeaderNames.CONTENT_TYPE, "application/xml")
                .set(HttpHeaderNames.CONTENT_LENGTH, body.readableBytes());
        return response;
    }
}
