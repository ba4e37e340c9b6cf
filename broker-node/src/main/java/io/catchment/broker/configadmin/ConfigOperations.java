package io.catchment.broker.configadmin;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.admin.AlterConfigOp.OpType;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.ConfigKey;
import org.apache.kafka.common.message.AlterConfigsRequestData;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData.AlterConfigsResource;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData.AlterableConfig;
import org.apache.kafka.common.protocol.Errors;

/** The SET, DELETE, APPEND and SUBTRACT of one resource, or all that it is to have, with Kafka's rules and messages. Immutable. */
final class ConfigOperations {
    private static final int VALUE_LENGTH_MAX = Short.MAX_VALUE;

    private final Map<String, AlterableConfig> byKey;
    private final boolean replaces;

    private ConfigOperations(Map<String, AlterableConfig> byKey, boolean replaces) {
        this.byKey = byKey;
        this.replaces = replaces;
    }

    /** @throws org.apache.kafka.common.errors.ApiException if they contradict each other or lack a value */
    static ConfigOperations of(AlterConfigsResource resource) {
        return of(resource.configs(), false);
    }

    /**
     * The resource is to have these keys only.
     *
     * @throws org.apache.kafka.common.errors.ApiException if one is named twice or lacks a value
     */
    static ConfigOperations replacing(AlterConfigsRequestData.AlterConfigsResource resource) {
        return of(
                resource.configs().stream()
                        .map(config -> new AlterableConfig()
                                .setName(config.name())
                                .setConfigOperation(OpType.SET.id())
                                .setValue(config.value()))
                        .toList(),
                true);
    }

    private static ConfigOperations of(Iterable<AlterableConfig> configs, boolean replaces) {
        Map<String, AlterableConfig> byKey = new LinkedHashMap<>();
        List<String> nulls = new ArrayList<>();
        for (AlterableConfig config : configs) {
            if (byKey.put(config.name(), config) != null) {
                throw Errors.INVALID_REQUEST.exception("Error due to duplicate config keys");
            }
            if (config.configOperation() != OpType.DELETE.id() && config.value() == null) {
                nulls.add(config.name());
            }
        }
        if (!nulls.isEmpty()) {
            throw Errors.INVALID_REQUEST.exception("Null value not supported for : " + String.join(", ", nulls));
        }
        return new ConfigOperations(byKey, replaces);
    }

    Set<String> names() {
        return byKey.keySet();
    }

    boolean onlyDeletes(Set<String> names) {
        return byKey.values().stream()
                .allMatch(config -> config.configOperation() == OpType.DELETE.id() && names.contains(config.name()));
    }

    /** @throws org.apache.kafka.common.errors.ApiException if an operation does not suit its key */
    Map<String, String> apply(Map<String, String> before, ConfigDef keys) {
        Map<String, String> after = new HashMap<>(replaces ? Map.of() : before);
        byKey.forEach((name, config) -> {
            switch (operation(config)) {
                case SET -> after.put(name, config.value());
                case DELETE -> after.remove(name);
                case APPEND -> {
                    List<String> values = list(name, after, keys, OpType.APPEND);
                    for (String value : parts(config.value())) {
                        if (!values.contains(value)) {
                            values.add(value);
                        }
                    }
                    after.put(name, String.join(",", values));
                }
                case SUBTRACT -> {
                    List<String> values = list(name, after, keys, OpType.SUBTRACT);
                    for (String value : parts(config.value())) {
                        values.remove(value);
                    }
                    after.put(name, String.join(",", values));
                }
            }
            String value = after.get(name);
            if (value != null && value.length() > VALUE_LENGTH_MAX) {
                throw Errors.INVALID_CONFIG.exception(
                        "The configuration value cannot be added because it exceeds the maximum value size of "
                                + VALUE_LENGTH_MAX + " bytes.");
            }
        });
        return after;
    }

    private static OpType operation(AlterableConfig config) {
        OpType operation = OpType.forId(config.configOperation());
        if (operation == null) {
            throw Errors.INVALID_REQUEST.exception("Unknown operation type " + config.configOperation());
        }
        return operation;
    }

    /** The list as it is now: the resource's own, else the key's default. */
    private static List<String> list(String name, Map<String, String> values, ConfigDef keys, OpType operation) {
        ConfigKey key = keys.configKeys().get(name);
        if (key == null || key.type != ConfigDef.Type.LIST) {
            throw Errors.INVALID_CONFIG.exception(
                    "Can't " + operation + " to key " + name + " because its type is not LIST.");
        }
        String present = values.get(name);
        if (present == null && key.hasDefault()) {
            present = ConfigDef.convertToString(key.defaultValue, key.type);
        }
        return present == null ? new ArrayList<>() : parts(present);
    }

    private static List<String> parts(String value) {
        List<String> parts = new ArrayList<>();
        for (String part : value.split(",", -1)) {
            if (!part.isEmpty()) {
                parts.add(part);
            }
        }
        return parts;
    }
}
