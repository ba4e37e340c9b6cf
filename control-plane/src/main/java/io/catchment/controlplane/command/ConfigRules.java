package io.catchment.controlplane.command;

import io.catchment.controlplane.Command;
import io.catchment.controlplane.CommandException.Reason;
import io.catchment.controlplane.log.LogRecord;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.metadata.ConfigRecord;
import org.apache.kafka.common.metadata.ProducerIdsRecord;
import org.apache.kafka.common.utils.Utils;
import org.jspecify.annotations.Nullable;

/** Configurations, and blocks of producer ids. */
final class ConfigRules {
    /** Kafka's size of a block. */
    static final int PRODUCER_IDS_PER_BLOCK = 1000;

    /** Of a string in Kafka's records. */
    static final int STRING_BYTES_MAX = Short.MAX_VALUE;

    private ConfigRules() {}

    static Decision<Command.Done> alter(Command.AlterConfigs command, Draft draft) {
        ConfigResource.Type type = ConfigResource.Type.forId(command.resourceType());
        if (type == ConfigResource.Type.UNKNOWN) {
            return Draft.refuse(Reason.INVALID, "configurations of resource type " + command.resourceType());
        }
        if (type == ConfigResource.Type.TOPIC && !draft.state().topics().containsKey(command.resourceName())) {
            return Draft.refuse(Reason.NOT_FOUND, "topic " + command.resourceName() + " does not exist");
        }
        Map<String, String> present = draft.state().configsOf(new ConfigResource(type, command.resourceName()));
        @Nullable Map<String, String> before = command.before();
        // Not the other way round: the state's map compares by identity
        if (before != null && !before.equals(present)) {
            return Draft.refuse(
                    Reason.NOT_YET,
                    "configurations of " + type + " " + command.resourceName()
                            + " have been altered by others meanwhile; look at them again");
        }
        List<LogRecord> records = new ArrayList<>();
        for (Map.Entry<String, @Nullable String> change : command.changes().entrySet()) {
            if (!Objects.equals(present.get(change.getKey()), change.getValue())) {
                records.add(LogRecord.kafka(
                        new ConfigRecord()
                                .setResourceType(command.resourceType())
                                .setResourceName(command.resourceName())
                                .setName(change.getKey())
                                .setValue(change.getValue()),
                        (short) 0));
            }
        }
        draft.add(records);
        return draft.accept(new Command.Done());
    }

    /** Null if each name and value fits into Kafka's record; else which does not. */
    static @Nullable String tooLong(Map<String, ? extends @Nullable String> configs) {
        for (Map.Entry<String, ? extends @Nullable String> config : configs.entrySet()) {
            @Nullable String value = config.getValue();
            if (utf8(config.getKey()) > STRING_BYTES_MAX || (value != null && utf8(value) > STRING_BYTES_MAX)) {
                String name = config.getKey();
                return "configuration " + name.substring(0, Math.min(name.length(), 100)) + " is longer than "
                        + STRING_BYTES_MAX + " bytes";
            }
        }
        return null;
    }

    private static int utf8(String text) {
        return Utils.utf8Length(text);
    }

    static Decision<Command.ProducerIdBlock> allocateProducerIds(Command.AllocateProducerIds command, Draft draft) {
        @Nullable String fenced = draft.fenced(command.nodeId(), command.nodeEpoch());
        if (fenced != null) {
            return Draft.refuse(Reason.FENCED, fenced);
        }
        long first = draft.state().nextProducerId();
        draft.kafka(
                new ProducerIdsRecord()
                        .setBrokerId(command.nodeId())
                        .setBrokerEpoch(command.nodeEpoch())
                        .setNextProducerId(first + PRODUCER_IDS_PER_BLOCK),
                (short) 0);
        return draft.accept(new Command.ProducerIdBlock(first, PRODUCER_IDS_PER_BLOCK));
    }
}
