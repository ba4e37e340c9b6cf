/**
 * What a topic's configuration means: {@link io.catchment.broker.topic.TopicSchema} (keys, node defaults, validation) and
 * {@link io.catchment.broker.topic.TopicConfigs}, the typed view that the produce path looks up per request.
 */
@NullMarked
package io.catchment.broker.topic;

import org.jspecify.annotations.NullMarked;
