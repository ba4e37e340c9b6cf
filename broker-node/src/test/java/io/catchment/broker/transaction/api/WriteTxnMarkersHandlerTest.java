package io.catchment.broker.transaction.api;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.catchment.broker.testing.OpenRequest;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.List;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.message.WriteTxnMarkersRequestData;
import org.apache.kafka.common.message.WriteTxnMarkersRequestData.WritableTxnMarker;
import org.apache.kafka.common.message.WriteTxnMarkersRequestData.WritableTxnMarkerTopic;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.MessageUtil;
import org.apache.kafka.common.requests.WriteTxnMarkersRequest;
import org.junit.jupiter.api.Test;

class WriteTxnMarkersHandlerTest {
    @Test
    void markersOfNegativeProducersAndEpochsAreRefusedBeforeAnyIsWritten() {
        refused(marker(1, (short) 0), marker(7, (short) -1));
        refused(marker(1, (short) 0), marker(-1, (short) 0));
    }

    private static void refused(WritableTxnMarker... markers) {
        short version = ApiKeys.WRITE_TXN_MARKERS.latestVersion();
        var data = new WriteTxnMarkersRequestData().setMarkers(List.of(markers));
        var request = WriteTxnMarkersRequest.parse(MessageUtil.toByteBufferAccessor(data, version), version);
        // Without a writer: to write one would throw something else
        var handler = new WriteTxnMarkersHandler(null);

        assertThatThrownBy(() -> handler.handle(new OpenRequest(request, new EmbeddedChannel().eventLoop())))
                .isInstanceOf(InvalidRequestException.class);
    }

    private static WritableTxnMarker marker(long producerId, short epoch) {
        return new WritableTxnMarker()
                .setProducerId(producerId)
                .setProducerEpoch(epoch)
                .setTopics(List.of(new WritableTxnMarkerTopic().setName("t").setPartitionIndexes(List.of(0))));
    }
}
