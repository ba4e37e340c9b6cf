package io.catchment.broker.clientadmin;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.testing.FakeRequest;
import io.catchment.broker.testing.LateControlPlane;
import io.catchment.broker.testing.RulesControlPlane;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.internals.KafkaFutureImpl;
import org.apache.kafka.common.message.AlterUserScramCredentialsRequestData;
import org.apache.kafka.common.message.AlterUserScramCredentialsRequestData.ScramCredentialDeletion;
import org.apache.kafka.common.message.AlterUserScramCredentialsRequestData.ScramCredentialUpsertion;
import org.apache.kafka.common.message.AlterUserScramCredentialsResponseData.AlterUserScramCredentialsResult;
import org.apache.kafka.common.message.DescribeUserScramCredentialsRequestData;
import org.apache.kafka.common.message.DescribeUserScramCredentialsResponseData;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.quota.ClientQuotaAlteration;
import org.apache.kafka.common.quota.ClientQuotaAlteration.Op;
import org.apache.kafka.common.quota.ClientQuotaEntity;
import org.apache.kafka.common.quota.ClientQuotaFilter;
import org.apache.kafka.common.quota.ClientQuotaFilterComponent;
import org.apache.kafka.common.requests.AlterClientQuotasRequest;
import org.apache.kafka.common.requests.AlterClientQuotasResponse;
import org.apache.kafka.common.requests.AlterUserScramCredentialsRequest;
import org.apache.kafka.common.requests.AlterUserScramCredentialsResponse;
import org.apache.kafka.common.requests.DescribeClientQuotasRequest;
import org.apache.kafka.common.requests.DescribeClientQuotasResponse;
import org.apache.kafka.common.requests.DescribeUserScramCredentialsRequest;
import org.apache.kafka.common.requests.DescribeUserScramCredentialsResponse;
import org.apache.kafka.common.security.scram.internals.ScramFormatter;
import org.apache.kafka.common.security.scram.internals.ScramMechanism;
import org.junit.jupiter.api.Test;

class ClientAdminHandlersTest {
    private static final ClientQuotaEntity CLIENT = entity(ClientQuotaEntity.CLIENT_ID, "ship");
    private static final ClientQuotaEntity ADDRESS = entity(ClientQuotaEntity.IP, "10.0.0.1");
    private static final byte SHA_256 = 1;

    private final RulesControlPlane controlPlane = new RulesControlPlane();
    private final AlterClientQuotasHandler alter = new AlterClientQuotasHandler(controlPlane, Runnable::run);
    private final DescribeClientQuotasHandler describe = new DescribeClientQuotasHandler(controlPlane);

    // ---- quotas

    @Test
    void whatIsSetIsDescribedUntilItIsRemoved() throws Exception {
        assertThat(alter(false, CLIENT, new Op("producer_byte_rate", 1024.0), new Op("request_percentage", 12.5)))
                .isEqualTo(Errors.NONE);
        assertThat(describedAll())
                .isEqualTo(Map.of(CLIENT, Map.of("producer_byte_rate", 1024.0, "request_percentage", 12.5)));

        assertThat(alter(false, CLIENT, new Op("producer_byte_rate", null))).isEqualTo(Errors.NONE);
        assertThat(describedAll()).isEqualTo(Map.of(CLIENT, Map.of("request_percentage", 12.5)));
    }

    @Test
    void aFilterOfOneEntityFindsThatOnly() throws Exception {
        alter(false, CLIENT, new Op("producer_byte_rate", 1.0));
        alter(false, entity(ClientQuotaEntity.CLIENT_ID, null), new Op("producer_byte_rate", 2.0));
        assertThat(described(ClientQuotaFilter.containsOnly(
                        List.of(ClientQuotaFilterComponent.ofEntity(ClientQuotaEntity.CLIENT_ID, "ship")))))
                .containsOnlyKeys(CLIENT);
        assertThat(described(ClientQuotaFilter.containsOnly(
                        List.of(ClientQuotaFilterComponent.ofDefaultEntity(ClientQuotaEntity.CLIENT_ID)))))
                .containsOnlyKeys(entity(ClientQuotaEntity.CLIENT_ID, null));
    }

    @Test
    void onlyValidatedNothingIsSet() throws Exception {
        assertThat(alter(true, CLIENT, new Op("producer_byte_rate", 1.0))).isEqualTo(Errors.NONE);
        assertThat(describedAll()).isEmpty();
    }

    @Test
    void whatMakesNoSenseIsRefusedAndSetsNothing() throws Exception {
        assertThat(alter(false, CLIENT, new Op("producer_rate", 1.0))).isEqualTo(Errors.INVALID_REQUEST);
        assertThat(alter(false, CLIENT, new Op("producer_byte_rate", 0.0))).isEqualTo(Errors.INVALID_REQUEST);
        assertThat(alter(false, CLIENT, new Op("producer_byte_rate", -1.0))).isEqualTo(Errors.INVALID_REQUEST);
        assertThat(alter(false, CLIENT, new Op("producer_byte_rate", Double.NaN)))
                .isEqualTo(Errors.INVALID_REQUEST);
        assertThat(alter(false, CLIENT, new Op("producer_byte_rate", 1.5))).isEqualTo(Errors.INVALID_REQUEST);
        assertThat(alter(false, CLIENT, new Op("consumer_byte_rate", 7.0), new Op("producer_byte_rate", 1e30)))
                .isEqualTo(Errors.INVALID_REQUEST);
        assertThat(alter(false, CLIENT, new Op("producer_byte_rate", 1.0), new Op("producer_byte_rate", 2.0)))
                .isEqualTo(Errors.INVALID_REQUEST);
        assertThat(alter(false, CLIENT, new Op("connection_creation_rate", 1.0)))
                .isEqualTo(Errors.INVALID_REQUEST);
        assertThat(alter(false, ADDRESS, new Op("producer_byte_rate", 1.0))).isEqualTo(Errors.INVALID_REQUEST);
        assertThat(alter(
                        false, entity(ClientQuotaEntity.IP, "not an address"), new Op("connection_creation_rate", 1.0)))
                .isEqualTo(Errors.INVALID_REQUEST);
        assertThat(alter(false, entity("tenant", "a"), new Op("producer_byte_rate", 1.0)))
                .isEqualTo(Errors.INVALID_REQUEST);
        assertThat(alter(false, entity(ClientQuotaEntity.USER, ""), new Op("producer_byte_rate", 1.0)))
                .isEqualTo(Errors.INVALID_REQUEST);
        assertThat(alter(false, new ClientQuotaEntity(Map.of()), new Op("producer_byte_rate", 1.0)))
                .isEqualTo(Errors.INVALID_REQUEST);
        assertThat(alter(
                        false,
                        new ClientQuotaEntity(Map.of(ClientQuotaEntity.IP, "10.0.0.1", ClientQuotaEntity.USER, "u")),
                        new Op("connection_creation_rate", 1.0)))
                .isEqualTo(Errors.INVALID_REQUEST);
        assertThat(describedAll()).isEmpty();
        assertThat(alter(false, ADDRESS, new Op("connection_creation_rate", 1.0)))
                .isEqualTo(Errors.NONE);
    }

    @Test
    void whatWasSetThroughAnotherNodeBeforeIsSeen() throws Exception {
        alter(false, CLIENT, new Op("producer_byte_rate", 1.0));
        AlterClientQuotasHandler late = new AlterClientQuotasHandler(new LateControlPlane(controlPlane), Runnable::run);
        // what this node still believes to be set
        alter(false, CLIENT, new Op("producer_byte_rate", 2.0));
        assertThat(alter(late, CLIENT, new Op("producer_byte_rate", 1.0))).isEqualTo(Errors.NONE);
        assertThat(describedAll()).isEqualTo(Map.of(CLIENT, Map.of("producer_byte_rate", 1.0)));
        // what it does not know to be set
        alter(false, ADDRESS, new Op("connection_creation_rate", 1.0));
        assertThat(alter(late, ADDRESS, new Op("connection_creation_rate", null)))
                .isEqualTo(Errors.NONE);
        assertThat(describedAll()).containsOnlyKeys(CLIENT);
    }

    @Test
    void aControllerThatIsAwayIsATimeout() throws Exception {
        controlPlane.fate(command -> RulesControlPlane.Fate.UNAVAILABLE);
        assertThat(alter(false, CLIENT, new Op("producer_byte_rate", 1.0))).isEqualTo(Errors.REQUEST_TIMED_OUT);
    }

    // ---- credentials

    @Test
    void aPasswordIsKeptAsTheKeysThatFollowFromIt() throws Exception {
        byte[] salted = new byte[32];
        assertThat(scram(new AlterUserScramCredentialsRequestData().setUpsertions(List.of(upsert("alice", 4096)))))
                .containsExactly(Map.entry("alice", Errors.NONE));
        DescribeUserScramCredentialsResponseData answer = ((DescribeUserScramCredentialsResponse) FakeRequest.call(
                        new DescribeUserScramCredentialsHandler(controlPlane),
                        new DescribeUserScramCredentialsRequest.Builder(
                                        new DescribeUserScramCredentialsRequestData().setUsers(null))
                                .build()))
                .data();
        assertThat(answer.results()).hasSize(1);
        assertThat(answer.results().get(0).credentialInfos().get(0).iterations())
                .isEqualTo(4096);

        ScramFormatter formatter = new ScramFormatter(ScramMechanism.SCRAM_SHA_256);
        var kept = controlPlane
                .image()
                .metadata()
                .scram()
                .mechanisms()
                .get(org.apache.kafka.clients.admin.ScramMechanism.SCRAM_SHA_256)
                .get("alice");
        assertThat(kept.storedKey()).isEqualTo(formatter.storedKey(formatter.clientKey(salted)));
        assertThat(kept.serverKey()).isEqualTo(formatter.serverKey(salted));

        assertThat(scram(new AlterUserScramCredentialsRequestData().setDeletions(List.of(deletion("alice")))))
                .containsExactly(Map.entry("alice", Errors.NONE));
        assertThat(controlPlane.image().metadata().scram().isEmpty()).isTrue();
    }

    @Test
    void eachUserIsRefusedForHisOwnReason() throws Exception {
        assertThat(scram(new AlterUserScramCredentialsRequestData()
                        .setDeletions(List.of(deletion("nobody"), deletion("twice")))
                        .setUpsertions(List.of(
                                upsert("twice", 4096),
                                upsert("weak", 10),
                                upsert("slow", 100_000),
                                upsert("", 4096),
                                upsert("odd", 4096).setMechanism((byte) 9),
                                upsert("good", 4096)))))
                .containsOnly(
                        Map.entry("nobody", Errors.RESOURCE_NOT_FOUND),
                        Map.entry("twice", Errors.DUPLICATE_RESOURCE),
                        Map.entry("weak", Errors.UNACCEPTABLE_CREDENTIAL),
                        Map.entry("slow", Errors.UNACCEPTABLE_CREDENTIAL),
                        Map.entry("", Errors.UNACCEPTABLE_CREDENTIAL),
                        Map.entry("odd", Errors.UNSUPPORTED_SASL_MECHANISM),
                        Map.entry("good", Errors.NONE));
        assertThat(controlPlane
                        .image()
                        .metadata()
                        .scram()
                        .mechanisms()
                        .get(org.apache.kafka.clients.admin.ScramMechanism.SCRAM_SHA_256))
                .containsOnlyKeys("good");
    }

    // ---- steps

    private static ClientQuotaEntity entity(String type, String name) {
        return new ClientQuotaEntity(Collections.singletonMap(type, name));
    }

    private Errors alter(boolean validateOnly, ClientQuotaEntity entity, Op... ops) throws Exception {
        return alter(alter, validateOnly, entity, ops);
    }

    private static Errors alter(AlterClientQuotasHandler through, ClientQuotaEntity entity, Op... ops)
            throws Exception {
        return alter(through, false, entity, ops);
    }

    private static Errors alter(
            AlterClientQuotasHandler through, boolean validateOnly, ClientQuotaEntity entity, Op... ops)
            throws Exception {
        AlterClientQuotasRequest request = new AlterClientQuotasRequest.Builder(
                        List.of(new ClientQuotaAlteration(entity, List.of(ops))), validateOnly)
                .build();
        AlterClientQuotasResponse response = (AlterClientQuotasResponse) FakeRequest.call(through, request);
        assertThat(response.data().entries()).hasSize(1);
        return Errors.forCode(response.data().entries().get(0).errorCode());
    }

    private Map<ClientQuotaEntity, Map<String, Double>> describedAll() throws Exception {
        return described(ClientQuotaFilter.all());
    }

    private Map<ClientQuotaEntity, Map<String, Double>> described(ClientQuotaFilter filter) throws Exception {
        DescribeClientQuotasResponse response = (DescribeClientQuotasResponse)
                FakeRequest.call(describe, new DescribeClientQuotasRequest.Builder(filter).build());
        KafkaFutureImpl<Map<ClientQuotaEntity, Map<String, Double>>> all = new KafkaFutureImpl<>();
        response.complete(all);
        try {
            return all.get();
        } catch (ExecutionException e) {
            throw (ApiException) e.getCause();
        }
    }

    private Map<String, Errors> scram(AlterUserScramCredentialsRequestData data) {
        AlterUserScramCredentialsResponse response = (AlterUserScramCredentialsResponse) FakeRequest.call(
                new AlterUserScramCredentialsHandler(controlPlane),
                new AlterUserScramCredentialsRequest.Builder(data).build());
        return response.data().results().stream()
                .collect(java.util.stream.Collectors.toMap(
                        AlterUserScramCredentialsResult::user, result -> Errors.forCode(result.errorCode())));
    }

    private static ScramCredentialUpsertion upsert(String name, int iterations) {
        return new ScramCredentialUpsertion()
                .setName(name)
                .setMechanism(SHA_256)
                .setIterations(iterations)
                .setSalt(new byte[] {1, 2, 3})
                .setSaltedPassword(new byte[32]);
    }

    private static ScramCredentialDeletion deletion(String name) {
        return new ScramCredentialDeletion().setName(name).setMechanism(SHA_256);
    }
}
