package io.catchment.chaos.clients;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** One of our programs in clients/, which all have the same lines. */
final class LineClient implements StockClient {
    private final String name;
    private final Set<String> codecs;
    private final Programs programs;
    private final List<String> command;
    private final List<String> memberOptions;

    LineClient(String name, Programs programs, List<String> command, Set<String> codecs, List<String> memberOptions) {
        this.name = name;
        this.programs = programs;
        this.command = List.copyOf(command);
        this.codecs = Set.copyOf(codecs);
        this.memberOptions = List.copyOf(memberOptions);
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public Set<String> codecs() {
        return codecs;
    }

    @Override
    public boolean writesAnything() {
        return true;
    }

    @Override
    public List<Answer> produce(String bootstrap, String topic, String codec, List<Portion> portions)
            throws IOException, InterruptedException {
        List<String> input = new ArrayList<>();
        boolean transactional = false;
        for (Portion portion : portions) {
            if (portion.ending() != Ending.NONE) {
                transactional = true;
                input.add("begin");
            }
            portion.lines().forEach(line -> input.add(line.toProduce(topic)));
            switch (portion.ending()) {
                case COMMIT -> input.add("commit");
                case ABORT -> input.add("abort");
                case NONE -> {}
            }
        }
        Path file = programs.input(input);
        List<Answer> answers = new ArrayList<>();
        String id = transactional ? "txn-" + topic : "-";
        for (String line : programs.run(with("produce", bootstrap, codec, id), file)) {
            String[] fields = line.split(" ", -1);
            answers.add(
                    fields[0].equals("ok")
                            ? new Answer(Long.parseLong(fields[2]), 0)
                            : new Answer(-1, Integer.parseInt(fields[1])));
        }
        return answers;
    }

    @Override
    public Map<String, List<Read>> read(String bootstrap, boolean committed, List<String> topics)
            throws IOException, InterruptedException {
        List<String> line = with("read", bootstrap, committed ? "read_committed" : "read_uncommitted");
        line.addAll(topics);
        Map<String, List<Read>> found = new HashMap<>();
        for (String record : programs.run(line, programs.input(List.of()))) {
            String[] fields = record.split(" ", -1);
            found.computeIfAbsent(fields[0], any -> new ArrayList<>())
                    .add(new Read(
                            Long.parseLong(fields[2]),
                            new Line(
                                    Integer.parseInt(fields[1]),
                                    Long.parseLong(fields[3]),
                                    fields[4],
                                    fields[5],
                                    Line.headersOf(fields[6]))));
        }
        return found;
    }

    @Override
    public GroupMember join(String bootstrap, String group, String topic) throws IOException {
        List<String> line = with("member", bootstrap, group, topic);
        line.addAll(memberOptions);
        return new GroupMember(name, programs.start(line), true, LineClient::progress);
    }

    private static void progress(String line, GroupMember member) {
        String[] fields = line.split(" ", -1);
        if (fields[0].equals("got")) {
            member.got(Integer.parseInt(fields[1]), Long.parseLong(fields[2]));
        } else if (fields[0].equals("assigned")) {
            Set<Integer> partitions = new TreeSet<>();
            for (String partition : fields[1].split(",", -1)) {
                if (!partition.isEmpty()) {
                    partitions.add(Integer.valueOf(partition));
                }
            }
            member.assigned(partitions);
        }
    }

    private List<String> with(String... arguments) {
        List<String> line = new ArrayList<>(command);
        line.addAll(List.of(arguments));
        return line;
    }
}
