package io.catchment.broker.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.wal.Authority;
import io.catchment.wal.Lane;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class WalFanoutTest {
    private final List<String> heard = new ArrayList<>();

    @Test
    void thatTheWalIsFencedIsHeardFromTheBeginning() {
        WalFanout fanout = new WalFanout(new FencedListener(why -> heard.add("first")));
        fanout.authority(Lane.NORMAL, Authority.FENCED, "injected");
        assertThat(heard).containsExactly("first");
        fanout.listeners(List.of(new FencedListener(why -> heard.add("another"))));
        fanout.authority(Lane.NORMAL, Authority.FENCED, "injected");
        assertThat(heard).containsExactly("first", "another", "first");
    }
}
