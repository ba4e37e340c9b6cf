package io.catchment.wal.spec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** The Promela model of sealing and fencing, where the model checker and a C compiler are installed (Debian: spin, gcc). */
class SealingModelTest {

    @Test
    void theModelHoldsAndItsMutationsAreNoticed() throws Exception {
        assumeTrue(isInstalled("spin") && isInstalled("cc"), "spin and cc are not installed");
        Path output = Files.createTempFile("sealing-model", ".txt");
        try {
            Process check = new ProcessBuilder("bash", "spec/check.sh")
                    .redirectErrorStream(true)
                    .redirectOutput(output.toFile())
                    .start();
            boolean ended = check.waitFor(5, TimeUnit.MINUTES);
            check.destroyForcibly();
            String said = Files.readString(output, StandardCharsets.UTF_8);
            assertThat(ended).as(said).isTrue();
            assertThat(check.exitValue()).as(said).isZero();
            assertThat(said).contains("errors: 0").contains("SHORTEST noticed");
        } finally {
            Files.delete(output);
        }
    }

    private static boolean isInstalled(String program) {
        return Arrays.stream(System.getenv("PATH").split(File.pathSeparator))
                .anyMatch(directory -> Files.isExecutable(Path.of(directory, program)));
    }
}
