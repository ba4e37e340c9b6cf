package io.catchment.broker.share.state.api;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.junit.jupiter.api.Test;

class WholeRequestTest {
    private static void check(String group, List<List<Integer>> topics) {
        WholeRequest.check(group, topics, partitions -> partitions);
    }

    @Test
    void whatLacksNothingPasses() {
        check("group", List.of(List.of(1), List.of(2, 3)));
    }

    @Test
    void whatLacksAGroupTopicsOrPartitionsIsRefused() {
        assertThatThrownBy(() -> check("", List.of(List.of(1)))).isInstanceOf(InvalidRequestException.class);
        assertThatThrownBy(() -> check(null, List.of(List.of(1)))).isInstanceOf(InvalidRequestException.class);
        assertThatThrownBy(() -> check("group", List.of())).isInstanceOf(InvalidRequestException.class);
        assertThatThrownBy(() -> check("group", List.of(List.of(1), List.of())))
                .isInstanceOf(InvalidRequestException.class);
    }
}
