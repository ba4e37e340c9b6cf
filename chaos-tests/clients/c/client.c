/* The conversation in C, on librdkafka. See ../README.md. */
#include <librdkafka/rdkafka.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PARTITIONS_MAX = 256, PATIENCE_S = 120 };

static void fail(const char *what, const char *why) {
    fprintf(stderr, "%s: %s\n", what, why);
    exit(3);
}

static void set(rd_kafka_conf_t *conf, const char *key, const char *value) {
    char error[256];
    if (rd_kafka_conf_set(conf, key, value, error, sizeof error) != RD_KAFKA_CONF_OK) fail(key, error);
}

/* KEY=VALUE arguments, in place. */
static void set_all(rd_kafka_conf_t *conf, char **arguments) {
    for (; *arguments; arguments++) {
        char *value = strchr(*arguments, '=');
        if (!value) fail(*arguments, "not KEY=VALUE");
        *value++ = 0;
        set(conf, *arguments, value);
    }
}

static int digit(char c) { return c <= '9' ? c - '0' : c - 'a' + 10; }

/* ".hex" becomes bytes in place; NULL for "-". */
static char *bytes_of(char *text, size_t *length) {
    *length = 0;
    if (*text == '-') return NULL;
    char *to = text;
    for (char *from = text + 1; from[0] && from[1]; from += 2) *to++ = (char)(digit(from[0]) << 4 | digit(from[1]));
    *length = (size_t)(to - text);
    return text;
}

static void print_bytes(const void *bytes, size_t length) {
    static const char digits[] = "0123456789abcdef";
    if (!bytes) {
        putchar('-');
        return;
    }
    putchar('.');
    for (size_t i = 0; i < length; i++) {
        unsigned char b = ((const unsigned char *)bytes)[i];
        putchar(digits[b >> 4]);
        putchar(digits[b & 15]);
    }
}

/* ---- produce ---- */

typedef struct {
    int32_t partition;
    int64_t offset;
    rd_kafka_resp_err_t error;
} answer_t;

static answer_t *answers;
static size_t answer_count;

static void on_delivery(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque) {
    (void)client;
    (void)opaque;
    answers[(size_t)message->_private] = (answer_t){message->partition, message->offset, message->err};
}

static void must(const char *what, rd_kafka_error_t *error) {
    if (error) fail(what, rd_kafka_error_string(error));
}

static rd_kafka_headers_t *headers_of(char *text) {
    if (*text == '-') return NULL;
    rd_kafka_headers_t *headers = rd_kafka_headers_new(8);
    char *rest = text;
    for (char *one; (one = strsep(&rest, ","));) {
        char *value = strchr(one, '=');
        size_t length;
        *value++ = 0;
        char *bytes = bytes_of(value, &length);
        rd_kafka_header_add(headers, one, -1, bytes, (ssize_t)length);
    }
    return headers;
}

static void send_record(rd_kafka_t *producer, char *line) {
    char *topic = strsep(&line, " "), *partition = strsep(&line, " "), *timestamp = strsep(&line, " ");
    char *key = strsep(&line, " "), *value = strsep(&line, " ");
    size_t key_length, value_length;
    rd_kafka_headers_t *headers = headers_of(line);
    char *key_bytes = bytes_of(key, &key_length), *value_bytes = bytes_of(value, &value_length);
    answers = realloc(answers, (answer_count + 1) * sizeof *answers);
    size_t number = answer_count++;
    answers[number] = (answer_t){-1, -1, RD_KAFKA_RESP_ERR__TIMED_OUT};
    rd_kafka_resp_err_t error = rd_kafka_producev(
        producer, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(atoi(partition)), RD_KAFKA_V_TIMESTAMP(atoll(timestamp)),
        RD_KAFKA_V_KEY(key_bytes, key_length), RD_KAFKA_V_VALUE(value_bytes, value_length), RD_KAFKA_V_HEADERS(headers),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY | RD_KAFKA_MSG_F_BLOCK), RD_KAFKA_V_OPAQUE((void *)number), RD_KAFKA_V_END);
    if (error) answers[number].error = error;
    rd_kafka_poll(producer, 0);
}

static int produce(const char *bootstrap, const char *codec, const char *transactional, char **more) {
    char error[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "bootstrap.servers", bootstrap);
    set(conf, "compression.codec", codec);
    set(conf, "linger.ms", "20");
    set(conf, "message.max.bytes", "4000000");
    set(conf, "max.in.flight", "1");
    int in_transactions = strcmp(transactional, "-") != 0;
    if (in_transactions) set(conf, "transactional.id", transactional);
    set_all(conf, more);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    rd_kafka_t *producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, error, sizeof error);
    if (!producer) fail("producer", error);
    if (in_transactions) must("init", rd_kafka_init_transactions(producer, PATIENCE_S * 1000));
    char *line = NULL;
    size_t capacity = 0;
    for (ssize_t length; (length = getline(&line, &capacity, stdin)) > 0;) {
        if (line[length - 1] == '\n') line[length - 1] = 0;
        if (!strcmp(line, "begin")) {
            must("begin", rd_kafka_begin_transaction(producer));
        } else if (!strcmp(line, "commit")) {
            must("commit", rd_kafka_commit_transaction(producer, PATIENCE_S * 1000));
        } else if (!strcmp(line, "abort")) {
            rd_kafka_flush(producer, PATIENCE_S * 1000); /* or it would drop what it has not sent yet */
            must("abort", rd_kafka_abort_transaction(producer, PATIENCE_S * 1000));
        } else {
            send_record(producer, line);
        }
    }
    rd_kafka_flush(producer, PATIENCE_S * 1000);
    for (size_t i = 0; i < answer_count; i++) {
        if (answers[i].error) printf("error %d\n", answers[i].error);
        else printf("ok %d %lld\n", answers[i].partition, (long long)answers[i].offset);
    }
    rd_kafka_destroy(producer);
    free(line);
    return 0;
}

/* ---- read ---- */

static void print_record(const rd_kafka_message_t *message) {
    rd_kafka_timestamp_type_t type;
    printf("%s %d %lld %lld ", rd_kafka_topic_name(message->rkt), message->partition, (long long)message->offset,
           (long long)rd_kafka_message_timestamp(message, &type));
    print_bytes(message->key, message->key_len);
    putchar(' ');
    print_bytes(message->payload, message->len);
    putchar(' ');
    rd_kafka_headers_t *headers;
    if (rd_kafka_message_headers(message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR && rd_kafka_header_cnt(headers) > 0) {
        const char *name;
        const void *value;
        size_t length;
        for (size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &length) == RD_KAFKA_RESP_ERR_NO_ERROR; i++) {
            printf("%s%s=", i ? "," : "", name);
            print_bytes(value, length);
        }
    } else {
        putchar('-');
    }
    putchar('\n');
}

static rd_kafka_t *consumer_of(const char *bootstrap, const char *group, const char *isolation, char **more) {
    char error[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "bootstrap.servers", bootstrap);
    set(conf, "group.id", group);
    set(conf, "isolation.level", isolation);
    set(conf, "enable.auto.commit", "false");
    set(conf, "auto.offset.reset", "earliest");
    set_all(conf, more);
    rd_kafka_t *consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf, error, sizeof error);
    if (!consumer) fail("consumer", error);
    rd_kafka_poll_set_consumer(consumer);
    return consumer;
}

static int is_end(const rd_kafka_message_t *message) {
    return message->payload && message->len == 3 && !memcmp(message->payload, "END", 3);
}

static int read_topics(const char *bootstrap, const char *isolation, char **topics) {
    char *none[] = {NULL};
    rd_kafka_t *consumer = consumer_of(bootstrap, "reader", isolation, none);
    const struct rd_kafka_metadata *metadata;
    if (rd_kafka_metadata(consumer, 1, NULL, &metadata, 60000)) fail("metadata", "no answer");
    rd_kafka_topic_partition_list_t *partitions = rd_kafka_topic_partition_list_new(16);
    for (char **topic = topics; *topic; topic++) {
        for (int i = 0; i < metadata->topic_cnt; i++) {
            if (strcmp(metadata->topics[i].topic, *topic)) continue;
            for (int p = 0; p < metadata->topics[i].partition_cnt; p++)
                rd_kafka_topic_partition_list_add(partitions, *topic, p)->offset = RD_KAFKA_OFFSET_BEGINNING;
        }
    }
    rd_kafka_metadata_destroy(metadata);
    rd_kafka_resp_err_t error = rd_kafka_assign(consumer, partitions);
    if (error) fail("assign", rd_kafka_err2str(error));
    int open = partitions->cnt;
    time_t deadline = time(NULL) + PATIENCE_S;
    while (open > 0) {
        if (time(NULL) > deadline) fail("read", "not at the end in time");
        rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer, 1000);
        if (!message) continue;
        if (message->err) fail("read", rd_kafka_message_errstr(message));
        if (is_end(message)) open--;
        else print_record(message);
        rd_kafka_message_destroy(message);
    }
    rd_kafka_topic_partition_list_destroy(partitions);
    rd_kafka_consumer_close(consumer);
    rd_kafka_destroy(consumer);
    return 0;
}

/* ---- member ---- */

static void print_assignment(rd_kafka_t *consumer, char *last, size_t capacity) {
    rd_kafka_topic_partition_list_t *now;
    char text[PARTITIONS_MAX * 4] = "assigned ";
    if (rd_kafka_assignment(consumer, &now)) return;
    for (int i = 0; i < now->cnt && i < PARTITIONS_MAX; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%d", i ? "," : "", now->elems[i].partition);
    rd_kafka_topic_partition_list_destroy(now);
    if (strcmp(text, last)) {
        puts(text);
        fflush(stdout);
        snprintf(last, capacity, "%s", text);
    }
}

static int member(const char *bootstrap, const char *group, const char *topic, char **more) {
    rd_kafka_t *consumer = consumer_of(bootstrap, group, "read_uncommitted", more);
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(topics, topic, RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t error = rd_kafka_subscribe(consumer, topics);
    if (error) fail("subscribe", rd_kafka_err2str(error));
    struct pollfd input = {.fd = 0, .events = POLLIN};
    char last[PARTITIONS_MAX * 4 + 16] = "assigned ";
    while (poll(&input, 1, 0) == 0) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer, 100);
        print_assignment(consumer, last, sizeof last);
        if (!message) continue;
        if (!message->err) {
            printf("got %d %lld\n", message->partition, (long long)message->offset);
            fflush(stdout);
            rd_kafka_commit_message(consumer, message, 0); /* refused after a rebalance: somebody else gets it again */
        }
        rd_kafka_message_destroy(message);
    }
    rd_kafka_topic_partition_list_destroy(topics);
    rd_kafka_consumer_close(consumer);
    rd_kafka_destroy(consumer);
    return 0;
}

int main(int count, char **arguments) {
    if (count >= 5 && !strcmp(arguments[1], "produce")) return produce(arguments[2], arguments[3], arguments[4], arguments + 5);
    if (count >= 5 && !strcmp(arguments[1], "read")) return read_topics(arguments[2], arguments[3], arguments + 4);
    if (count >= 5 && !strcmp(arguments[1], "member")) return member(arguments[2], arguments[3], arguments[4], arguments + 5);
    fail(arguments[0], "see README.md");
    return 2;
}
