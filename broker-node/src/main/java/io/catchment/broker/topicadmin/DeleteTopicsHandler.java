package io.catchment.broker.topicadmin;

import io.catchment.broker.network.Request;
import io.catchment.broker.quota.ClientQuotas;
import io.catchment.broker.request.ApiHandler;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.ControlPlane;
import io.catchment.controlplane.TopicState;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.ThrottlingQuotaExceededException;
import org.apache.kafka.common.message.DeleteTopicsRequestData.DeleteTopicState;
import org.apache.kafka.common.message.DeleteTopicsResponseData;
import org.apache.kafka.common.message.DeleteTopicsResponseData.DeletableTopicResult;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.ApiError;
import org.apache.kafka.common.requests.DeleteTopicsRequest;
import org.apache.kafka.common.requests.DeleteTopicsResponse;
import org.apache.kafka.server.quota.ControllerMutationQuota;
import org.jspecify.annotations.Nullable;

/** DeleteTopics, by name or by id. A topic is deleted by the id that this node saw for it, never a newer one of the same name. */
public final class DeleteTopicsHandler implements ApiHandler {
    /** Clients from here on know what to do when they are refused (KIP-599). */
    private static final int STRICT_QUOTA_VERSION = 5;

    private final ControlPlane controlPlane;
    private final ClientQuotas quotas;

    public DeleteTopicsHandler(ControlPlane controlPlane, ClientQuotas quotas) {
        this.controlPlane = controlPlane;
        this.quotas = quotas;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.DELETE_TOPICS;
    }

    @Override
    public void handle(Request request) {
        DeleteTopicsRequest body = (DeleteTopicsRequest) request.body();
        Asked asked = Asked.of(body);
        long timeoutMs = Math.max(1, body.data().timeoutMs());
        // A topic may have been created a moment ago at another node: look again with everything that is committed.
        // Without a
        // controller what this node knows must do; the command will tell.
        CompletionStage<?> known = asked.allKnown(controlPlane.image())
                ? CompletableFuture.completedFuture(null)
                : controlPlane.barrier().exceptionally(failure -> null);
        ControllerMutationQuota quota = quotas.mutations(request.context(), STRICT_QUOTA_VERSION);
        CompletionStage<DeleteTopicsResponseData> answered = known.thenCompose(done -> delete(asked, quota, timeoutMs));
        Later.respond(request, answered, (data, failure) -> {
            request.throttle(quotas.mutated(quota));
            if (failure != null) {
                throw new CompletionException(failure);
            }
            return new DeleteTopicsResponse(data);
        });
    }

    private CompletionStage<DeleteTopicsResponseData> delete(
            Asked asked, ControllerMutationQuota quota, long timeoutMs) {
        Map<Uuid, TopicState> topics = asked.resolve(controlPlane.image());
        topics.values().removeIf(topic -> isTooMuch(topic, quota, asked));
        CompletionStage<List<Command.ItemResult>> deleted = topics.isEmpty()
                ? CompletableFuture.completedFuture(List.of())
                : controlPlane
                        .submit(new Command.DeleteTopics(List.copyOf(topics.keySet())))
                        .toCompletableFuture()
                        .copy()
                        .orTimeout(timeoutMs, TimeUnit.MILLISECONDS);
        return deleted.handle((results, failure) -> {
            int index = 0;
            for (TopicState topic : topics.values()) {
                Errors notFound = asked.byId(topic) ? Errors.UNKNOWN_TOPIC_ID : Errors.UNKNOWN_TOPIC_OR_PARTITION;
                ApiError error = failure != null
                        ? CommandErrors.of(failure, notFound, Errors.INVALID_REQUEST)
                        : outcome(results.get(index++), notFound);
                asked.answer(topic.name(), topic.topicId(), error);
            }
            DeleteTopicsResponseData data = new DeleteTopicsResponseData();
            asked.answers.forEach(data.responses()::add);
            return data;
        });
    }

    private static boolean isTooMuch(TopicState topic, ControllerMutationQuota quota, Asked asked) {
        try {
            quota.record(topic.streams().size());
            return false;
        } catch (ThrottlingQuotaExceededException e) {
            asked.answer(topic.name(), topic.topicId(), ApiError.fromThrowable(e));
            return true;
        }
    }

    private static ApiError outcome(Command.ItemResult result, Errors notFound) {
        Command.ItemError error = result.error();
        return error == null ? ApiError.NONE : CommandErrors.of(error, notFound, Errors.INVALID_REQUEST);
    }

    /** The names and ids of one request, and the answers so far. Used by one thread at a time. */
    private static final class Asked {
        private final Set<String> names = new LinkedHashSet<>();
        private final Set<Uuid> ids = new LinkedHashSet<>();
        private final List<DeletableTopicResult> answers = new ArrayList<>();

        static Asked of(DeleteTopicsRequest body) {
            Asked asked = new Asked();
            Map<Object, Integer> counts = new HashMap<>();
            for (DeleteTopicState topic : body.topics()) {
                boolean named = topic.name() != null;
                boolean identified = !topic.topicId().equals(Uuid.ZERO_UUID);
                if (named && identified) {
                    asked.answer(
                            topic.name(),
                            topic.topicId(),
                            invalid("You may not specify both topic name and topic id."));
                } else if (named) {
                    counts.merge(topic.name(), 1, Integer::sum);
                    asked.names.add(topic.name());
                } else if (identified) {
                    counts.merge(topic.topicId(), 1, Integer::sum);
                    asked.ids.add(topic.topicId());
                } else {
                    asked.answer(null, Uuid.ZERO_UUID, invalid("Neither topic name nor id were specified."));
                }
            }
            counts.forEach((key, count) -> {
                if (count > 1 && key instanceof String name && asked.names.remove(name)) {
                    asked.answer(name, Uuid.ZERO_UUID, invalid("Duplicate topic name."));
                } else if (count > 1 && key instanceof Uuid id && asked.ids.remove(id)) {
                    asked.answer(null, id, invalid("Duplicate topic id."));
                }
            });
            return asked;
        }

        boolean allKnown(ClusterImage image) {
            return names.stream().allMatch(name -> image.topic(name).isPresent())
                    && ids.stream().allMatch(id -> image.topic(id).isPresent());
        }

        boolean byId(TopicState topic) {
            return ids.contains(topic.topicId());
        }

        /** The topics to delete; what cannot be is answered. */
        Map<Uuid, TopicState> resolve(ClusterImage image) {
            Map<Uuid, TopicState> topics = new LinkedHashMap<>();
            for (Uuid id : ids) {
                image.topic(id)
                        .ifPresentOrElse(
                                topic -> topics.put(id, topic),
                                () -> answer(null, id, new ApiError(Errors.UNKNOWN_TOPIC_ID)));
            }
            for (String name : names) {
                TopicState topic = image.topic(name).orElse(null);
                if (topic == null) {
                    answer(name, Uuid.ZERO_UUID, new ApiError(Errors.UNKNOWN_TOPIC_OR_PARTITION));
                } else if (topics.putIfAbsent(topic.topicId(), topic) != null) {
                    topics.remove(topic.topicId());
                    answer(
                            name,
                            topic.topicId(),
                            invalid("The provided topic name maps to an ID that was already supplied."));
                }
            }
            return topics;
        }

        void answer(@Nullable String name, Uuid id, ApiError error) {
            answers.add(new DeletableTopicResult()
                    .setName(name)
                    .setTopicId(id)
                    .setErrorCode(error.error().code())
                    .setErrorMessage(error.message()));
        }

        private static ApiError invalid(String message) {
            return new ApiError(Errors.INVALID_REQUEST, message);
        }
    }
}
