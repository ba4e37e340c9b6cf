package io.catchment.controlplane.command;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.controlplane.Command;
import io.catchment.controlplane.CommandException.Reason;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.ScramMechanism;
import org.apache.kafka.common.metadata.ClientQuotaRecord;
import org.apache.kafka.common.metadata.ConfigRecord;
import org.apache.kafka.common.metadata.RemoveUserScramCredentialRecord;
import org.apache.kafka.common.metadata.UserScramCredentialRecord;
import org.apache.kafka.common.quota.ClientQuotaEntity;
import org.apache.kafka.server.common.ApiMessageAndVersion;
import org.junit.jupiter.api.Test;

/** The script writes a snapshot and reads it back after each command: so what clients have survives one, too. */
class ClientRulesTest {
    private static final ClientQuotaEntity SHIP = new ClientQuotaEntity(Map.of(ClientQuotaEntity.CLIENT_ID, "ship"));

    private final Script script = Script.ofOneNode();

    @Test
    void aQuotaIsInKafkasImageUntilItIsRemoved() {
        script.done(alter(quota(SHIP, "producer_byte_rate", 1024.5), quota(SHIP, "consumer_byte_rate", 7)));
        assertThat(quotas(SHIP)).isEqualTo(Map.of("producer_byte_rate", 1024.5, "consumer_byte_rate", 7.0));

        script.done(alter(removed(SHIP, "producer_byte_rate")));
        assertThat(quotas(SHIP)).isEqualTo(Map.of("consumer_byte_rate", 7.0));

        script.done(alter(removed(SHIP, "consumer_byte_rate")));
        assertThat(script.image().metadata().clientQuotas().entities()).isEmpty();
    }

    @Test
    void theDefaultEntityHasNoName() {
        ClientQuotaEntity everybody = new ClientQuotaEntity(Collections.singletonMap(ClientQuotaEntity.USER, null));
        script.done(alter(quota(everybody, "request_percentage", 50)));
        assertThat(quotas(everybody)).isEqualTo(Map.of("request_percentage", 50.0));
    }

    @Test
    void theSameAgainDoesNoHarm() {
        script.done(alter(quota(SHIP, "producer_byte_rate", 1)));
        script.done(alter(quota(SHIP, "producer_byte_rate", 1)));
        assertThat(quotas(SHIP)).isEqualTo(Map.of("producer_byte_rate", 1.0));
        script.done(alter(removed(SHIP, "producer_byte_rate")));
        script.done(alter(removed(SHIP, "producer_byte_rate")));
        assertThat(script.image().metadata().clientQuotas().entities()).isEmpty();
    }

    @Test
    void credentialsAreInKafkasImageUntilTheyAreRemoved() {
        script.done(alter(new UserScramCredentialRecord()
                .setName("alice")
                .setMechanism(ScramMechanism.SCRAM_SHA_256.type())
                .setSalt(new byte[] {1})
                .setStoredKey(new byte[] {2})
                .setServerKey(new byte[] {3})
                .setIterations(4096)));
        assertThat(script.image().metadata().scram().mechanisms().get(ScramMechanism.SCRAM_SHA_256))
                .containsOnlyKeys("alice");

        script.done(alter(new RemoveUserScramCredentialRecord()
                .setName("alice")
                .setMechanism(ScramMechanism.SCRAM_SHA_256.type())));
        assertThat(script.image().metadata().scram().isEmpty()).isTrue();
    }

    @Test
    void otherRecordsAndTooManyAreRefused() {
        script.refused(
                Reason.INVALID,
                alter(new ConfigRecord()
                        .setResourceType((byte) 2)
                        .setResourceName("t")
                        .setName("k")
                        .setValue("v")));
        script.refused(
                Reason.INVALID,
                new Command.AlterClients(Collections.nCopies(
                        ClientRules.RECORDS_MAX + 1,
                        new ApiMessageAndVersion(quota(SHIP, "producer_byte_rate", 1), (short) 0))));
    }

    private Map<String, Double> quotas(ClientQuotaEntity entity) {
        return script.image().metadata().clientQuotas().entities().get(entity).quotas();
    }

    private static Command.AlterClients alter(org.apache.kafka.common.protocol.ApiMessage... records) {
        return new Command.AlterClients(List.of(records).stream()
                .map(record -> new ApiMessageAndVersion(record, (short) 0))
                .toList());
    }

    private static ClientQuotaRecord quota(ClientQuotaEntity entity, String key, double value) {
        return record(entity).setKey(key).setValue(value);
    }

    private static ClientQuotaRecord removed(ClientQuotaEntity entity, String key) {
        return record(entity).setKey(key).setRemove(true);
    }

    private static ClientQuotaRecord record(ClientQuotaEntity entity) {
        return new ClientQuotaRecord()
                .setEntity(entity.entries().entrySet().stream()
                        .map(part -> new ClientQuotaRecord.EntityData()
                                .setEntityType(part.getKey())
                                .setEntityName(part.getValue()))
                        .toList());
    }
}
