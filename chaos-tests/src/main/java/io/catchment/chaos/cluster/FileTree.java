package io.catchment.chaos.cluster;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A folder with all that is in it. */
public final class FileTree {
    private FileTree() {}

    /** One that does not exist is no error. */
    public static void delete(Path root) throws IOException {
        if (!Files.exists(root)) {
            return;
        }
        Files.walkFileTree(root, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.delete(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path folder, @Nullable IOException failure) throws IOException {
                Files.delete(folder);
                return FileVisitResult.CONTINUE;
            }
        });
    }

    /** Of all files under it, blocks that are on the disk alone (files may be allocated ahead); those that go meanwhile do not count. */
    static long bytes(Path root) {
        String said = Commands.run(Duration.ofMinutes(2), Map.of(), List.of("du", "-sk", root.toString()));
        return Long.parseLong(said.substring(0, said.indexOf('\t'))) * 1024;
    }
}
