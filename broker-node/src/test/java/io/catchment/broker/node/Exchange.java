package io.catchment.broker.node;

import io.catchment.broker.testing.RawClient;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;

/**
 * One thing to ask of an API at whatever version, and what the answer must say.
 *
 * @param outcome NONE for the case that goes well, else the error that is provoked
 * @param from first version at which it can be asked
 */
record Exchange(ApiKeys api, Errors outcome, int from, Talk talk) {

    @FunctionalInterface
    interface Talk {
        void at(RawClient client, short version) throws Exception;
    }

    static Exchange of(ApiKeys api, Errors outcome, Talk talk) {
        return new Exchange(api, outcome, 0, talk);
    }
}
