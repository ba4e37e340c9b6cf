package io.catchment.broker.quota;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.catchment.broker.testing.ManualTime;
import io.catchment.broker.testing.RulesControlPlane;
import io.catchment.controlplane.Command;
import java.net.InetAddress;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.errors.ThrottlingQuotaExceededException;
import org.apache.kafka.common.metadata.ClientQuotaRecord;
import org.apache.kafka.common.network.ClientInformation;
import org.apache.kafka.common.network.ListenerName;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.quota.ClientQuotaEntity;
import org.apache.kafka.common.requests.RequestContext;
import org.apache.kafka.common.requests.RequestHeader;
import org.apache.kafka.common.security.auth.KafkaPrincipal;
import org.apache.kafka.common.security.auth.SecurityProtocol;
import org.apache.kafka.image.ClientQuotaImage;
import org.apache.kafka.server.common.ApiMessageAndVersion;
import org.apache.kafka.server.quota.ControllerMutationQuota;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ClientQuotasTest {
    private static final String PRODUCE = "producer_byte_rate";
    private static final QuotaSettings SETTINGS = QuotaSettings.of(Map.of());

    private final ManualTime time = new ManualTime(1_700_000_000_000L);
    private final Map<QuotaObserver.Limit, Integer> throttled = new EnumMap<>(QuotaObserver.Limit.class);
    private final ClientQuotas quotas =
            new ClientQuotas(SETTINGS, time, (limit, ms) -> throttled.merge(limit, 1, Integer::sum));
    private final RulesControlPlane controlPlane = new RulesControlPlane();

    ClientQuotasTest() {
        controlPlane.subscribe(new QuotaFeed(quotas, Runnable::run));
    }

    @AfterEach
    void close() {
        quotas.close();
    }

    /** The first seconds' burst is Kafka's: a client that was silent has ten seconds' worth. */
    @Test
    void whoWaitsAsToldGetsWhatHeMayOverAWholeNumberOfWindows() {
        set(1_000_000, PRODUCE, client("held"));
        double perSecond = perSecond("held", 100_000, 11, 110);
        assertThat(perSecond).isCloseTo(1_000_000, within(100_000.0));
        assertThat(throttled).containsOnlyKeys(QuotaObserver.Limit.PRODUCE);
    }

    @Test
    void othersAreNotHeldBack() {
        set(1_000, PRODUCE, client("held"));
        for (int i = 0; i < 100; i++) {
            assertThat(quotas.produced(from("free", null), 1_000_000)).isZero();
        }
    }

    @Test
    void theMostSpecificQuotaCounts() {
        Map<String, @Nullable String> everybody = new HashMap<>();
        everybody.put(ClientQuotaEntity.CLIENT_ID, null);
        set(1, PRODUCE, everybody);
        assertThat(isHeld("any", "u")).isTrue();
        set(1e12, PRODUCE, client("c"));
        assertThat(isHeld("c", "u")).isFalse();
        set(1, PRODUCE, user("u"));
        assertThat(isHeld("c", "u")).isTrue();
        set(1e12, PRODUCE, Map.of(ClientQuotaEntity.USER, "u", ClientQuotaEntity.CLIENT_ID, "c"));
        assertThat(isHeld("c", "u")).isFalse();
        assertThat(isHeld("d", "u")).isTrue();
    }

    @Test
    void aQuotaThatIsRemovedHoldsNobody() {
        set(1, PRODUCE, client("held"));
        assertThat(isHeld("held", "u")).isTrue();
        set(null, PRODUCE, client("held"));
        assertThat(isHeld("held", "u")).isFalse();
    }

    @Test
    void namesWithSpecialCharactersAreTheirOwn() {
        set(1, PRODUCE, user("CN=ship, O=\"sea\" *"));
        assertThat(isHeld("any", "CN=ship, O=\"sea\" *")).isTrue();
        assertThat(isHeld("any", "CN=ship")).isFalse();
    }

    @Test
    void timeIsLimitedInPercentOfOneLoop() {
        assertThat(quotas.limitTime()).isFalse();
        set(10, "request_percentage", client("held"));
        assertThat(quotas.limitTime()).isTrue();
        // ten seconds of 10 % may come at once; a throttle is never longer than a sample
        assertThat(quotas.spent(from("held", null), 900_000_000L)).isZero();
        assertThat(quotas.spent(from("held", null), 900_000_000L)).isBetween(1, 1_000);
        assertThat(quotas.spent(from("free", null), 900_000_000_000L)).isZero();
    }

    @Test
    void nodesAreNotHeldBackByWhatTheirUsersMay() {
        set(0.001, "request_percentage", user("ANONYMOUS"));
        RequestContext marker = context(ApiKeys.WRITE_TXN_MARKERS, "node-1", KafkaPrincipal.ANONYMOUS);
        assertThat(quotas.spent(marker, 10_000_000_000L)).isZero();
    }

    @Test
    void whoSpeaksTheNodesVersionsIsCountedLikeAnybody() {
        set(1, "request_percentage", client("held"));
        for (short version : ApiKeys.ADD_PARTITIONS_TO_TXN.allVersions()) {
            time.sleep(60_000);
            RequestContext adding = context(ApiKeys.ADD_PARTITIONS_TO_TXN, version, "held", KafkaPrincipal.ANONYMOUS);
            quotas.spentSending(adding, 200_000_000L);
            assertThat(quotas.spent(adding, 1)).as("version %d", version).isPositive();
        }
    }

    @Test
    void tooManyPartitionsAreRefusedUntilTheirTimeHasCome() {
        set(1, "controller_mutation_rate", client("held"));
        ControllerMutationQuota first = quotas.mutations(from("held", null), 0);
        first.record(20);
        ControllerMutationQuota second = quotas.mutations(from("held", null), 0);
        assertThatThrownBy(() -> second.record(1)).isInstanceOf(ThrottlingQuotaExceededException.class);
        int waitMs = quotas.mutated(second);
        assertThat(waitMs).isPositive();
        time.sleep(waitMs + 1_000);
        quotas.mutations(from("held", null), 0).record(1);
    }

    @Test
    void clientsThatCannotUnderstandARefusalAreNotLimited() {
        set(1, "controller_mutation_rate", client("held"));
        for (int i = 0; i < 10; i++) {
            ControllerMutationQuota quota = quotas.mutations(from("held", null), Short.MAX_VALUE);
            quota.record(100);
        }
    }

    @Test
    void connectionsOfAnAddressAreCounted() throws Exception {
        InetAddress ship = InetAddress.getByName("10.1.2.3");
        InetAddress shore = InetAddress.getByName("10.1.2.4");
        set(2, "connection_creation_rate", Map.of(ClientQuotaEntity.IP, "10.1.2.3"));
        assertThat(connectionsUntilRefused(ship)).isBetween(20, 23);
        assertThat(connectionsUntilRefused(shore)).isEqualTo(100);
        time.sleep(20_000);
        assertThat(quotas.connectionDelayMs(ship)).isZero();

        set(null, "connection_creation_rate", Map.of(ClientQuotaEntity.IP, "10.1.2.3"));
        assertThat(connectionsUntilRefused(ship)).isEqualTo(100);
        Map<String, @Nullable String> all = new HashMap<>();
        all.put(ClientQuotaEntity.IP, null);
        set(1, "connection_creation_rate", all);
        assertThat(connectionsUntilRefused(shore)).isBetween(10, 12);
    }

    private int connectionsUntilRefused(InetAddress from) {
        int taken = 0;
        while (taken < 100 && quotas.connectionDelayMs(from) == 0) {
            taken++;
        }
        return taken;
    }

    /** Of a client that always sends when it may: what it gets between two seconds of its life. */
    private double perSecond(String clientId, int requestBytes, int fromSecond, int toSecond) {
        long start = time.milliseconds();
        double bytes = 0;
        while (time.milliseconds() - start < toSecond * 1_000L) {
            int ms = quotas.produced(from(clientId, null), requestBytes);
            if (time.milliseconds() - start >= fromSecond * 1_000L) {
                bytes += requestBytes;
            }
            time.sleep(Math.max(1, ms));
        }
        return bytes / (toSecond - fromSecond);
    }

    private boolean isHeld(String clientId, String user) {
        return quotas.produced(from(clientId, user), 1_000_000) > 0;
    }

    private void set(@Nullable Number value, String key, Map<String, @Nullable String> entity) {
        ClientQuotaRecord record = new ClientQuotaRecord()
                .setEntity(ClientQuotaImage.entityToData(new ClientQuotaEntity(entity)))
                .setKey(key)
                .setRemove(value == null);
        if (value != null) {
            record.setValue(value.doubleValue());
        }
        controlPlane.now(new Command.AlterClients(List.of(new ApiMessageAndVersion(record, (short) 0))));
    }

    private static Map<String, @Nullable String> client(String id) {
        return Map.of(ClientQuotaEntity.CLIENT_ID, id);
    }

    private static Map<String, @Nullable String> user(String name) {
        return Map.of(ClientQuotaEntity.USER, name);
    }

    private static RequestContext from(String clientId, @Nullable String user) {
        return context(
                ApiKeys.CREATE_TOPICS,
                clientId,
                user == null ? KafkaPrincipal.ANONYMOUS : new KafkaPrincipal(KafkaPrincipal.USER_TYPE, user));
    }

    private static RequestContext context(ApiKeys api, String clientId, KafkaPrincipal principal) {
        return context(api, api.latestVersion(), clientId, principal);
    }

    private static RequestContext context(ApiKeys api, short version, String clientId, KafkaPrincipal principal) {
        return new RequestContext(
                new RequestHeader(api, version, clientId, 1),
                "connection",
                InetAddress.getLoopbackAddress(),
                principal,
                new ListenerName("PLAINTEXT"),
                SecurityProtocol.PLAINTEXT,
                ClientInformation.EMPTY,
                false);
    }
}
