package io.catchment.broker.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.testing.FakeControlPlane;
import java.net.InetSocketAddress;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class PeerAddressesTest {
    private final Map<String, String> nameServer = new HashMap<>();
    private final FakeControlPlane controlPlane = new FakeControlPlane();
    private long nowNanos;
    private final PeerAddresses addresses = new PeerAddresses("WAL", Runnable::run, this::lookUp, () -> nowNanos);

    private InetSocketAddress lookUp(String host, int port) {
        String address = nameServer.get(host);
        return address == null ? InetSocketAddress.createUnresolved(host, port) : new InetSocketAddress(address, port);
    }

    private void register() {
        controlPlane.withNode(2, "WAL");
    }

    private void pass(long seconds) {
        nowNanos += TimeUnit.SECONDS.toNanos(seconds);
    }

    private void isAt(String address) {
        assertThat(addresses.of(2)).hasValue(new InetSocketAddress(address, 9200));
    }

    @Test
    void aNodeThatComesBackUnderItsNameWithAnotherAddressIsThere() {
        nameServer.put("host-2", "10.0.0.1");
        register();
        addresses.follow(controlPlane);
        isAt("10.0.0.1");
        nameServer.put("host-2", "10.0.0.2");
        controlPlane.withNode(3, "WAL");
        isAt("10.0.0.1");
        register();
        isAt("10.0.0.2");
    }

    @Test
    void aNameThatIsKnownLateOrAnsweredFromAnOldMemoryIsLookedUpAgainWhileTheNodeCannotBeReached() {
        addresses.follow(controlPlane);
        register();
        assertThat(addresses.of(2)).isEmpty();
        assertThat(addresses.nodes()).containsExactly(2);
        pass(60);
        nameServer.put("host-2", "10.0.0.1");
        addresses.lookUpAgain(Set.of(3));
        assertThat(addresses.of(2)).isEmpty();
        addresses.lookUpAgain(Set.of(2, 3));
        isAt("10.0.0.1");
        nameServer.put("host-2", "10.0.0.2");
        addresses.lookUpAgain(Set.of(2));
        isAt("10.0.0.2");
    }

    /** Its former connection was cut off without a word, so nobody knows that it is not there. */
    @Test
    void whoHasJustRegisteredIsLookedUpAgainForAWhile() {
        nameServer.put("host-2", "10.0.0.1");
        addresses.follow(controlPlane);
        register();
        pass(59);
        nameServer.put("host-2", "10.0.0.2");
        addresses.lookUpAgain(Set.of());
        isAt("10.0.0.2");
        pass(1);
        nameServer.put("host-2", "10.0.0.3");
        addresses.lookUpAgain(Set.of());
        isAt("10.0.0.2");
    }

    @Test
    void theLastAddressCountsWhileTheNameServerIsSilent() {
        nameServer.put("host-2", "10.0.0.1");
        addresses.follow(controlPlane);
        register();
        nameServer.clear();
        register();
        addresses.lookUpAgain(Set.of(2));
        isAt("10.0.0.1");
    }
}
