package io.catchment.broker.fetch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.ListOffsetsRequestData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.MessageUtil;
import org.apache.kafka.common.requests.FetchRequest;
import org.apache.kafka.common.requests.ListOffsetsRequest;
import org.junit.jupiter.api.Test;

class IsolationTest {
    @Test
    void levelsThatExistAreTaken() {
        for (IsolationLevel level : IsolationLevel.values()) {
            assertThat(Isolation.of(fetch(level.id())::isolationLevel)).isEqualTo(level);
        }
    }

    @Test
    void aLevelThatDoesNotExistIsTheClientsFault() {
        assertThatThrownBy(() -> Isolation.of(fetch((byte) 7)::isolationLevel))
                .isInstanceOf(InvalidRequestException.class);
        ListOffsetsRequest offsets = ListOffsetsRequest.parse(
                new ByteBufferAccessor(serialized((byte) -3)), ApiKeys.LIST_OFFSETS.latestVersion());
        assertThatThrownBy(() -> Isolation.of(offsets::isolationLevel)).isInstanceOf(InvalidRequestException.class);
    }

    private static ByteBuffer serialized(byte level) {
        return MessageUtil.toByteBufferAccessor(
                        new ListOffsetsRequestData().setIsolationLevel(level), ApiKeys.LIST_OFFSETS.latestVersion())
                .buffer();
    }

    private static FetchRequest fetch(byte level) {
        return new FetchRequest(new FetchRequestData().setIsolationLevel(level), ApiKeys.FETCH.latestVersion());
    }
}
