package io.catchment.broker.near;

import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.requests.FetchRequest;
import org.apache.kafka.common.requests.FetchResponse;

/** The way to owners on other nodes. One connection to each, answers in the order of the requests. */
interface OwnerQuestions extends AutoCloseable {

    /** Fails when the node cannot be reached or does not answer within seconds. May complete on any thread. */
    CompletionStage<FetchResponse> ask(Node owner, FetchRequest.Builder request);

    @Override
    void close();
}
