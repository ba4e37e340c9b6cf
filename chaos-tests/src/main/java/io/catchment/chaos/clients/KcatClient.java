package io.catchment.chaos.clients;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * kcat, by its own options. It writes text with one header for all, and no times; of a transaction it knows the commit, at the end of its
 * input. It prints lengths before the bytes, so any bytes can be read.
 */
final class KcatClient implements StockClient {
    private static final String RECORD = "%t %p %o %T %K %S\n%k%s\n%h\n";
    private static final Pattern GOT = Pattern.compile("(\\d+) (\\d+)");
    private static final Pattern REBALANCED = Pattern.compile("rebalanced .*: (assigned|revoked): (.*)");
    private static final Pattern PARTITION = Pattern.compile("\\[(\\d+)\\]");

    private final Programs programs;
    private final List<String> command;

    KcatClient(Programs programs, List<String> command) {
        this.programs = programs;
        this.command = List.copyOf(command);
    }

    @Override
    public String name() {
        return "kcat";
    }

    @Override
    public Set<String> codecs() {
        return Conversation.CODECS;
    }

    @Override
    public boolean writesAnything() {
        return false;
    }

    @Override
    public List<Answer> produce(String bootstrap, String topic, String codec, List<Portion> portions)
            throws IOException, InterruptedException {
        for (Portion portion : portions) {
            Map<Integer, List<String>> inputs = new TreeMap<>();
            for (Line line : portion.lines()) {
                inputs.computeIfAbsent(line.partition(), any -> new ArrayList<>())
                        .add(plain(line.key()) + "\t" + plain(line.value()));
            }
            for (var input : inputs.entrySet()) {
                List<String> words = with("-b", bootstrap, "-P", "-t", topic, "-p", String.valueOf(input.getKey()));
                words.addAll(List.of("-K", "\t", "-Z", "-H", "trace=t-1", "-X", "compression.codec=" + codec));
                if (portion.ending() == Ending.COMMIT) {
                    words.addAll(List.of("-X", "transactional.id=txn-" + topic));
                }
                programs.run(words, programs.input(input.getValue()));
            }
        }
        return List.of();
    }

    private static String plain(String hex) {
        return hex.equals("-") ? "" : Line.text(hex);
    }

    @Override
    public Map<String, List<Read>> read(String bootstrap, boolean committed, List<String> topics)
            throws IOException, InterruptedException {
        Map<String, List<Read>> found = new HashMap<>();
        String isolation = "isolation.level=" + (committed ? "read_committed" : "read_uncommitted");
        for (String topic : topics) {
            List<String> words = with("-b", bootstrap, "-C", "-t", topic, "-e", "-q", "-f", RECORD, "-X", isolation);
            byte[] printed = Files.readAllBytes(programs.runToFile(words, programs.input(List.of())));
            List<Read> records = new ArrayList<>();
            var from = new Cursor(printed);
            while (!from.atEnd()) {
                Read record = record(from);
                if (!record.line().value().equals(Line.hex("END"))) {
                    records.add(record);
                }
            }
            found.put(topic, records);
        }
        return found;
    }

    private static Read record(Cursor from) {
        String[] fields = from.untilNewline().split(" ", -1);
        String key = from.field(Integer.parseInt(fields[4]));
        String value = from.field(Integer.parseInt(fields[5]));
        from.untilNewline();
        return new Read(
                Long.parseLong(fields[2]),
                new Line(
                        Integer.parseInt(fields[1]),
                        Long.parseLong(fields[3]),
                        key,
                        value,
                        headers(from.bytesUntilNewline())));
    }

    private static List<Line.Header> headers(byte[] printed) {
        List<Line.Header> headers = new ArrayList<>();
        int from = 0;
        while (from < printed.length) {
            int end = indexOf(printed, ',', from);
            int equals = indexOf(printed, '=', from);
            String name = new String(printed, from, equals - from, StandardCharsets.UTF_8);
            headers.add(new Line.Header(name, Line.hex(Arrays.copyOfRange(printed, equals + 1, end))));
            from = end + 1;
        }
        return headers;
    }

    private static int indexOf(byte[] bytes, char wanted, int from) {
        int at = from;
        while (at < bytes.length && bytes[at] != wanted) {
            at++;
        }
        return at;
    }

    /** It prints header values as C strings, to their first zero. */
    @Override
    public Line shown(Line line) {
        return new Line(
                line.partition(),
                line.timestamp(),
                line.key(),
                line.value(),
                line.headers().stream()
                        .map(header -> new Line.Header(header.name(), beforeZero(header.value())))
                        .toList());
    }

    private static String beforeZero(String hex) {
        int at = 1;
        while (at < hex.length() && !hex.startsWith("00", at)) {
            at += 2;
        }
        return hex.substring(0, Math.min(at, hex.length()));
    }

    @Override
    public GroupMember join(String bootstrap, String group, String topic) throws IOException {
        List<String> words = with("-b", bootstrap, "-G", group, "-u", "-f", "%p %o\n");
        words.addAll(List.of("-X", "auto.offset.reset=earliest", "-X", "session.timeout.ms=6000"));
        words.addAll(List.of("-X", "heartbeat.interval.ms=500", "-X", "auto.commit.interval.ms=100"));
        words.add(topic);
        return new GroupMember(name(), programs.startWithErrors(words), false, KcatClient::progress);
    }

    private static void progress(String line, GroupMember member) {
        Matcher rebalanced = REBALANCED.matcher(line);
        Matcher got = GOT.matcher(line);
        if (got.matches()) {
            member.got(Integer.parseInt(got.group(1)), Long.parseLong(got.group(2)));
        } else if (rebalanced.find()) {
            Set<Integer> partitions = new TreeSet<>();
            Matcher partition = PARTITION.matcher(rebalanced.group(2));
            while (rebalanced.group(1).equals("assigned") && partition.find()) {
                partitions.add(Integer.valueOf(partition.group(1)));
            }
            member.assigned(partitions);
        }
    }

    private List<String> with(String... arguments) {
        List<String> words = new ArrayList<>(command);
        words.addAll(List.of(arguments));
        return words;
    }

    /** Goes through what was printed. */
    private static final class Cursor {
        private final byte[] bytes;
        private int at;

        Cursor(byte[] bytes) {
            this.bytes = bytes;
        }

        boolean atEnd() {
            return at >= bytes.length;
        }

        byte[] bytesUntilNewline() {
            var line = new ByteArrayOutputStream();
            while (bytes[at] != '\n') {
                line.write(bytes[at++]);
            }
            at++;
            return line.toByteArray();
        }

        String untilNewline() {
            return new String(bytesUntilNewline(), StandardCharsets.UTF_8);
        }

        String field(int length) {
            if (length < 0) {
                return "-";
            }
            at += length;
            return Line.hex(Arrays.copyOfRange(bytes, at - length, at));
        }
    }
}
