package io.catchment.chaos.nodes;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** chaos share-crew: some members of a share group in a process of their own, which chaos share kills. */
@Command(name = "share-crew", hidden = true, description = "Members of a share group; part of chaos share.")
public final class ShareCrewCommand implements Callable<Integer> {
    @Option(names = "--bootstrap", required = true)
    private String bootstrap = "";

    @Option(names = "--topic", required = true)
    private String topic = "";

    @Option(names = "--group", required = true)
    private String group = "";

    @Option(names = "--members", required = true)
    private int members;

    @Option(names = "--journal", required = true)
    private Path journal = Path.of("");

    @Option(names = "--seed", required = true)
    private long seed;

    @Override
    public Integer call() throws Exception {
        var writer = new ShareJournal.Writer(journal);
        List<ShareMember> crew = new ArrayList<>();
        for (int i = 0; i < members; i++) {
            crew.add(new ShareMember(bootstrap, topic, group, writer, seed + i));
        }
        crew.forEach(Thread::start);
        for (ShareMember member : crew) {
            member.join();
        }
        return 0;
    }
}
