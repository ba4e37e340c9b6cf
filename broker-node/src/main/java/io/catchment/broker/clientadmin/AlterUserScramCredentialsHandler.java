package io.catchment.broker.clientadmin;

import io.catchment.broker.network.Request;
import io.catchment.broker.request.ApiHandler;
import io.catchment.broker.topicadmin.CommandErrors;
import io.catchment.broker.topicadmin.Later;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.ControlPlane;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.message.AlterUserScramCredentialsResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.AlterUserScramCredentialsRequest;
import org.apache.kafka.common.requests.AlterUserScramCredentialsResponse;

/**
 * AlterUserScramCredentials (KIP-554). The client sends a salted password; what is kept are the two keys that follow from it, which do
 * not tell the password.
 */
public final class AlterUserScramCredentialsHandler implements ApiHandler {
    private final ControlPlane controlPlane;

    public AlterUserScramCredentialsHandler(ControlPlane controlPlane) {
        this.controlPlane = controlPlane;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.ALTER_USER_SCRAM_CREDENTIALS;
    }

    @Override
    public void handle(Request request) {
        AlterUserScramCredentialsRequest body = (AlterUserScramCredentialsRequest) request.body();
        ScramAlteration alteration =
                ScramAlteration.of(body.data(), controlPlane.image().metadata().scram());
        CompletionStage<AlterUserScramCredentialsResponseData> outcome =
                alteration.records().isEmpty()
                        ? CompletableFuture.completedFuture(alteration.answer())
                        : controlPlane
                                .submit(new Command.AlterClients(alteration.records()))
                                .thenApply(done -> alteration.answer());
        Later.respond(request, outcome, (answer, failure) -> {
            if (failure != null) {
                return body.getErrorResponse(
                        0,
                        CommandErrors.of(failure, Errors.RESOURCE_NOT_FOUND, Errors.INVALID_REQUEST)
                                .exception());
            }
            return new AlterUserScramCredentialsResponse(answer);
        });
    }
}
