package io.catchment.chaos.fuzz;

import java.lang.reflect.Method;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.internal.BaseRecords;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.common.utils.internals.ImplicitLinkedHashCollection;
import org.jspecify.annotations.Nullable;

/**
 * Fills any of Kafka's generated message classes with values, by their setters: every API, also those to come. Thread-safe.
 *
 * <p>Values that a version does not have make a message that cannot be written; {@link #fill} is then tried again with less set.
 */
final class Messages {
    private static final int DEPTH_MAX = 6;
    private static final Map<Class<?>, List<Method>> SETTERS = new ConcurrentHashMap<>();

    private final Words words;
    /** Of fields, by name, with values of their own: what must not be right by chance. */
    private final Map<String, String> fixed;

    Messages(Words words, Map<String, String> fixed) {
        this.words = words;
        this.fixed = Map.copyOf(fixed);
    }

    /** @param share of the fields that get a value */
    void fill(Object message, double share, SplittableRandom random) {
        fill(message, share, random, 0);
    }

    private void fill(Object message, double share, SplittableRandom random, int depth) {
        for (Method setter : setters(message.getClass())) {
            String field = setter.getName().substring(3);
            if (fixed.containsKey(field) || random.nextDouble() < share) {
                Object value = fixed.containsKey(field)
                        ? fixed.get(field)
                        : value(
                                setter.getGenericParameterTypes()[0],
                                setter.getParameterTypes()[0],
                                share,
                                random,
                                depth);
                if (value != null) {
                    call(setter, message, value);
                }
            }
        }
    }

    private static List<Method> setters(Class<?> type) {
        return SETTERS.computeIfAbsent(type, key -> Arrays.stream(key.getMethods())
                .filter(method -> method.getName().startsWith("set")
                        && method.getParameterCount() == 1
                        && method.getReturnType() == key)
                .sorted(Comparator.comparing(Method::getName))
                .toList());
    }

    private static void call(Method setter, Object message, Object value) {
        try {
            setter.invoke(message, value);
        } catch (ReflectiveOperationException | IllegalArgumentException e) {
            // A value that the setter itself refuses (an unsigned field): left as it was
        }
    }

    private @Nullable Object value(Type generic, Class<?> type, double share, SplittableRandom random, int depth) {
        if (type == String.class) {
            return words.name(random);
        } else if (type == boolean.class) {
            return random.nextBoolean();
        } else if (type == byte.class) {
            return (byte) words.number(random);
        } else if (type == short.class) {
            return (short) words.number(random);
        } else if (type == int.class) {
            return (int) words.number(random);
        } else if (type == long.class) {
            return words.number(random);
        } else if (type == double.class) {
            return random.nextInt(5) == 0 ? Double.NaN : random.nextDouble() * 1e9;
        } else if (type == Uuid.class) {
            return words.id(random);
        } else if (type == byte[].class) {
            return words.bytes(random);
        } else if (type == ByteBuffer.class) {
            return ByteBuffer.wrap(words.bytes(random));
        } else if (BaseRecords.class.isAssignableFrom(type)) {
            return records(random);
        } else if (Collection.class.isAssignableFrom(type)) {
            return depth < DEPTH_MAX ? list(generic, type, share, random, depth) : null;
        }
        return depth < DEPTH_MAX ? struct(type, share, random, depth) : null;
    }

    private @Nullable Object struct(Class<?> type, double share, SplittableRandom random, int depth) {
        try {
            Object made = type.getConstructor().newInstance();
            fill(made, share, random, depth + 1);
            return made;
        } catch (ReflectiveOperationException e) {
            return null;
        }
    }

    private @Nullable Object list(Type generic, Class<?> type, double share, SplittableRandom random, int depth) {
        int size = random.nextInt(40) == 0 ? random.nextInt(1_000) >> (3 * depth) : random.nextInt(4);
        if (generic instanceof ParameterizedType parameterized
                && parameterized.getActualTypeArguments()[0] instanceof Class<?> element) {
            List<Object> elements = new ArrayList<>();
            for (int i = 0; i < size; i++) {
                Object value = value(element, boxless(element), share, random, depth + 1);
                if (value != null) {
                    elements.add(value);
                }
            }
            return elements;
        }
        return ImplicitLinkedHashCollection.class.isAssignableFrom(type)
                ? keyed(type, size, share, random, depth)
                : null;
    }

    /** Such as CreatableTopicCollection, of CreatableTopic. */
    private @Nullable Object keyed(Class<?> type, int size, double share, SplittableRandom random, int depth) {
        String name = type.getName();
        try {
            Class<?> element = Class.forName(name.substring(0, name.length() - "Collection".length()));
            @SuppressWarnings("unchecked")
            Collection<Object> elements =
                    (Collection<Object>) type.getConstructor().newInstance();
            for (int i = 0; i < size; i++) {
                Object made = struct(element, share, random, depth);
                if (made != null) {
                    elements.add(made);
                }
            }
            return elements;
        } catch (ReflectiveOperationException e) {
            return null;
        }
    }

    private static Class<?> boxless(Class<?> type) {
        return type == Integer.class
                ? int.class
                : type == Long.class
                        ? long.class
                        : type == Short.class ? short.class : type == Byte.class ? byte.class : type;
    }

    /** A batch as producers make it, of any compression, sometimes of a transaction, sometimes with some bits wrong. */
    private MemoryRecords records(SplittableRandom random) {
        SimpleRecord[] made = new SimpleRecord[1 + random.nextInt(5)];
        for (int i = 0; i < made.length; i++) {
            made[i] = new SimpleRecord(Math.max(0, words.number(random)), words.bytes(random), words.bytes(random));
        }
        Compression compression =
                switch (random.nextInt(5)) {
                    case 0 -> Compression.gzip().build();
                    case 1 -> Compression.lz4().build();
                    default -> Compression.NONE;
                };
        MemoryRecords records = random.nextInt(3) == 0
                ? MemoryRecords.withTransactionalRecords(
                        compression, random.nextInt(100), (short) random.nextInt(5), random.nextInt(9), made)
                : MemoryRecords.withRecords(RecordBatch.CURRENT_MAGIC_VALUE, 0, compression, made);
        if (random.nextInt(3) == 0) {
            ByteBuffer bytes = records.buffer();
            int at = bytes.position() + random.nextInt(bytes.remaining());
            bytes.put(at, (byte) random.nextInt());
        }
        return records;
    }
}
