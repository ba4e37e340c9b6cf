package io.catchment.chaos.cluster;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The directory store. Taken away by moving the directory and leaving a file in its place: that stops root as well. */
public final class DirectoryObjectStore implements ObjectStoreServer {
    private final Path directory;
    private final Path away;

    private DirectoryObjectStore(Path directory) {
        this.directory = directory;
        this.away = directory.resolveSibling(directory.getFileName() + ".away");
    }

    public static DirectoryObjectStore create(Path directory) throws IOException {
        Path absolute = directory.toAbsolutePath();
        Files.createDirectories(absolute);
        return new DirectoryObjectStore(absolute);
    }

    @Override
    public String uri() {
        return "file://" + directory;
    }

    @Override
    public void takeAway() {
        try {
            Files.move(directory, away);
            Files.writeString(directory, "the object store is away\n");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void giveBack() {
        try {
            Files.delete(directory);
            Files.move(away, directory);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        try {
            FileTree.delete(away);
            FileTree.delete(directory);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
