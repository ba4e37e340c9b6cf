package io.catchment.broker.clientadmin;

import java.security.InvalidKeyException;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.admin.ScramMechanism;
import org.apache.kafka.common.message.AlterUserScramCredentialsRequestData;
import org.apache.kafka.common.message.AlterUserScramCredentialsRequestData.ScramCredentialDeletion;
import org.apache.kafka.common.message.AlterUserScramCredentialsRequestData.ScramCredentialUpsertion;
import org.apache.kafka.common.message.AlterUserScramCredentialsResponseData;
import org.apache.kafka.common.message.AlterUserScramCredentialsResponseData.AlterUserScramCredentialsResult;
import org.apache.kafka.common.metadata.RemoveUserScramCredentialRecord;
import org.apache.kafka.common.metadata.UserScramCredentialRecord;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.ApiError;
import org.apache.kafka.common.security.scram.internals.ScramFormatter;
import org.apache.kafka.image.ScramImage;
import org.apache.kafka.metadata.ScramCredentialData;
import org.apache.kafka.server.common.ApiMessageAndVersion;

/**
 * What one request does to passwords: a user is named once in it, or is not altered at all.
 *
 * @param answer if the records are written
 */
record ScramAlteration(List<ApiMessageAndVersion> records, AlterUserScramCredentialsResponseData answer) {
    /** Kafka's; more would only slow every connection down. */
    private static final int ITERATIONS_MAX = 16_384;

    static ScramAlteration of(AlterUserScramCredentialsRequestData request, ScramImage present) {
        Set<String> twice = namedTwice(request);
        List<ApiMessageAndVersion> records = new ArrayList<>();
        Map<String, ApiError> outcomes = new LinkedHashMap<>();
        for (ScramCredentialDeletion deletion : request.deletions()) {
            if (!twice.contains(deletion.name())) {
                ApiError error = check(deletion, present);
                outcomes.put(deletion.name(), error);
                if (error.isSuccess()) {
                    records.add(new ApiMessageAndVersion(
                            new RemoveUserScramCredentialRecord()
                                    .setName(deletion.name())
                                    .setMechanism(deletion.mechanism()),
                            (short) 0));
                }
            }
        }
        for (ScramCredentialUpsertion upsertion : request.upsertions()) {
            if (!twice.contains(upsertion.name())) {
                outcomes.put(upsertion.name(), upsert(upsertion, records));
            }
        }
        twice.forEach(name -> outcomes.put(
                name,
                new ApiError(
                        Errors.DUPLICATE_RESOURCE, "A user credential cannot be altered twice in the same request")));
        AlterUserScramCredentialsResponseData answer = new AlterUserScramCredentialsResponseData();
        outcomes.forEach((name, error) -> answer.results()
                .add(new AlterUserScramCredentialsResult()
                        .setUser(name)
                        .setErrorCode(error.error().code())
                        .setErrorMessage(error.isSuccess() ? null : error.message())));
        return new ScramAlteration(records, answer);
    }

    private static Set<String> namedTwice(AlterUserScramCredentialsRequestData request) {
        Set<String> seen = new HashSet<>();
        Set<String> twice = new HashSet<>();
        for (ScramCredentialDeletion deletion : request.deletions()) {
            if (!seen.add(deletion.name())) {
                twice.add(deletion.name());
            }
        }
        for (ScramCredentialUpsertion upsertion : request.upsertions()) {
            if (!seen.add(upsertion.name())) {
                twice.add(upsertion.name());
            }
        }
        return twice;
    }

    private static ApiError check(ScramCredentialDeletion deletion, ScramImage present) {
        ScramMechanism mechanism = ScramMechanism.fromType(deletion.mechanism());
        ApiError error = check(deletion.name(), mechanism);
        if (error.isFailure()) {
            return error;
        }
        Map<String, ScramCredentialData> users = present.mechanisms().getOrDefault(mechanism, Map.of());
        return users.containsKey(deletion.name())
                ? ApiError.NONE
                : new ApiError(Errors.RESOURCE_NOT_FOUND, "Attempt to delete a user credential that does not exist");
    }

    private static ApiError check(String name, ScramMechanism mechanism) {
        if (name.isEmpty()) {
            return new ApiError(Errors.UNACCEPTABLE_CREDENTIAL, "Username must not be empty");
        }
        return mechanism == ScramMechanism.UNKNOWN
                ? new ApiError(Errors.UNSUPPORTED_SASL_MECHANISM, "Unknown SCRAM mechanism")
                : ApiError.NONE;
    }

    private static ApiError upsert(ScramCredentialUpsertion upsertion, List<ApiMessageAndVersion> records) {
        ScramMechanism mechanism = ScramMechanism.fromType(upsertion.mechanism());
        ApiError error = check(upsertion.name(), mechanism);
        if (error.isFailure()) {
            return error;
        }
        var internal = org.apache.kafka.common.security.scram.internals.ScramMechanism.forMechanismName(
                mechanism.mechanismName());
        if (upsertion.iterations() < internal.minIterations()) {
            return new ApiError(Errors.UNACCEPTABLE_CREDENTIAL, "Too few iterations");
        } else if (upsertion.iterations() > ITERATIONS_MAX) {
            return new ApiError(Errors.UNACCEPTABLE_CREDENTIAL, "Too many iterations");
        }
        try {
            ScramFormatter formatter = new ScramFormatter(internal);
            records.add(new ApiMessageAndVersion(
                    new UserScramCredentialRecord()
                            .setName(upsertion.name())
                            .setMechanism(upsertion.mechanism())
                            .setSalt(upsertion.salt())
                            .setStoredKey(formatter.storedKey(formatter.clientKey(upsertion.saltedPassword())))
                            .setServerKey(formatter.serverKey(upsertion.saltedPassword()))
                            .setIterations(upsertion.iterations()),
                    (short) 0));
            return ApiError.NONE;
        } catch (NoSuchAlgorithmException | InvalidKeyException | IllegalArgumentException e) {
            return new ApiError(Errors.UNACCEPTABLE_CREDENTIAL, e.getMessage());
        }
    }
}
