package io.catchment.broker;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.library.dependencies.SliceAssignment;
import com.tngtech.archunit.library.dependencies.SliceIdentifier;
import org.junit.jupiter.api.Test;

/** The module rules of the design: who may know whom, and that no packages form a cycle. */
class ArchitectureTest {
    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            // Other modules' tests, where they are on the class path as a jar
            .withImportOption(location -> !location.contains("-tests.jar"))
            .importPackages("io.catchment");

    @Test
    void allModulesAreOnTheClassPathOfThisTest() {
        assertThat(CLASSES.containPackage("io.catchment.wal")).isTrue();
        assertThat(CLASSES.containPackage("io.catchment.objectstore")).isTrue();
        assertThat(CLASSES.containPackage("io.catchment.controlplane")).isTrue();
    }

    @Test
    void walObjectStoreAndControlPlaneKnowNoOtherModule() {
        standsAlone("io.catchment.wal..", "io.catchment.objectstore..", "io.catchment.controlplane..");
        standsAlone("io.catchment.objectstore..", "io.catchment.wal..", "io.catchment.controlplane..");
        standsAlone("io.catchment.controlplane..", "io.catchment.wal..", "io.catchment.objectstore..");
    }

    @Test
    void raftStaysInOnePackageOfTheControlPlane() {
        noClasses()
                .that()
                .resideOutsideOfPackage("io.catchment.controlplane.raft..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("org.apache.kafka.raft..")
                .check(CLASSES);
    }

    @Test
    void theAwsSdkStaysInOnePackageOfTheObjectStore() {
        noClasses()
                .that()
                .resideOutsideOfPackage("io.catchment.objectstore.s3..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("software.amazon.awssdk..")
                .check(CLASSES);
    }

    @Test
    void packagesAreFreeOfCycles() {
        slices().assignedFrom(new EachPackage()).should().beFreeOfCycles().check(CLASSES);
    }

    /** A slice per package, the module's root package too. */
    private static final class EachPackage implements SliceAssignment {
        @Override
        public SliceIdentifier getIdentifierOf(JavaClass javaClass) {
            return SliceIdentifier.of(javaClass.getPackageName());
        }

        @Override
        public String getDescription() {
            return "each package";
        }
    }

    private static void standsAlone(String module, String... others) {
        noClasses()
                .that()
                .resideInAPackage(module)
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(append(others, "io.catchment.broker.."))
                .check(CLASSES);
    }

    private static String[] append(String[] values, String value) {
        String[] result = java.util.Arrays.copyOf(values, values.length + 1);
        result[values.length] = value;
        return result;
    }
}
