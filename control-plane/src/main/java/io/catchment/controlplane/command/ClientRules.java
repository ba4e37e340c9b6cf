package io.catchment.controlplane.command;

import io.catchment.controlplane.Command;
import io.catchment.controlplane.CommandException.Reason;
import io.catchment.controlplane.log.LogRecord;
import java.util.List;
import java.util.Set;
import org.apache.kafka.common.metadata.MetadataRecordType;
import org.apache.kafka.server.common.ApiMessageAndVersion;

/** Quotas and credentials of clients. */
final class ClientRules {
    /** Of one command: they must fit into one batch. */
    static final int RECORDS_MAX = 10_000;

    private static final Set<MetadataRecordType> ABOUT_CLIENTS = Set.of(
            MetadataRecordType.CLIENT_QUOTA_RECORD,
            MetadataRecordType.USER_SCRAM_CREDENTIAL_RECORD,
            MetadataRecordType.REMOVE_USER_SCRAM_CREDENTIAL_RECORD);

    private ClientRules() {}

    static Decision<Command.Done> alter(Command.AlterClients command, Draft draft) {
        List<ApiMessageAndVersion> records = command.records();
        if (records.size() > RECORDS_MAX) {
            return Draft.refuse(
                    Reason.INVALID, records.size() + " changes in one request; send at most " + RECORDS_MAX);
        }
        for (ApiMessageAndVersion record : records) {
            MetadataRecordType type = MetadataRecordType.fromId(record.message().apiKey());
            if (!ABOUT_CLIENTS.contains(type)) {
                return Draft.refuse(Reason.INVALID, "a record of type " + type + " does not belong here");
            }
        }
        draft.add(records.stream()
                .map(record -> LogRecord.kafka(record.message(), record.version()))
                .toList());
        return draft.accept(new Command.Done());
    }
}
