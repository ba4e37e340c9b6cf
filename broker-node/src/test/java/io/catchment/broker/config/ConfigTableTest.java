package io.catchment.broker.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.kafka.common.config.ConfigDef.ConfigKey;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The README's table is the one that the definition gives. */
class ConfigTableTest {
    private static final Path README = Path.of("..", "README.md");

    @Test
    void everyKeyHasARowAndSaysWhatItMeans() {
        String table = ConfigTable.markdown();
        for (ConfigKey key : NodeConfig.keys().configKeys().values()) {
            if (!key.internalConfig) {
                assertThat(table).contains("| `" + key.name + "` |");
                assertThat(key.documentation).as(key.name).isNotBlank();
            }
        }
    }

    @Test
    void theReadmesTableIsTheGeneratedOne() throws Exception {
        String readme = Files.exists(README) ? Files.readString(README) : "";
        int begin = readme.indexOf(ConfigTable.BEGIN);
        int end = readme.indexOf(ConfigTable.END);
        org.junit.jupiter.api.Assumptions.assumeTrue(begin >= 0, "README.md has no configuration section");
        assertThat(readme.substring(begin + ConfigTable.BEGIN.length() + 1, end))
                .as(
                        "README.md is out of date. Regenerate with: java -cp <class path> %s README.md",
                        ConfigTable.class.getName())
                .isEqualTo(ConfigTable.markdown());
    }

    @Test
    void theProgramReplacesWhatIsBetweenTheMarkers(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("README.md");
        Files.writeString(file, "before\n" + ConfigTable.BEGIN + "\nold\n" + ConfigTable.END + "\nafter\n");
        ConfigTable.main(new String[] {file.toString()});
        assertThat(file)
                .content()
                .isEqualTo(
                        "before\n" + ConfigTable.BEGIN + "\n" + ConfigTable.markdown() + ConfigTable.END + "\nafter\n");
    }
}
