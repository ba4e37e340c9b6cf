package io.catchment.wal;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

final class ArchitectureTest {
    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .importPackages("io.catchment.wal");

    @Test
    void packagesHaveNoCycles() {
        slices().matching("io.catchment.wal.(*)..").should().beFreeOfCycles().check(CLASSES);
    }

    @Test
    void theRootPackageKnowsNoSubpackage() {
        classes()
                .that()
                .resideInAPackage("io.catchment.wal")
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage("io.catchment.wal", "java..", "io.netty.buffer", "org.jspecify..")
                .check(CLASSES);
    }

    @Test
    void onlyTheDiskPackageTouchesFilesAndOnlyTheLoopPackageThreads() {
        noClasses()
                .that()
                .resideOutsideOfPackages("io.catchment.wal.disk", "io.catchment.wal.node")
                .should()
                .dependOnClassesThat()
                .belongToAnyOf(java.nio.file.Files.class, java.nio.channels.FileChannel.class)
                .check(CLASSES);
        noClasses()
                .that()
                .resideOutsideOfPackages("io.catchment.wal.loop", "io.catchment.wal.node")
                .should()
                .dependOnClassesThat()
                .belongToAnyOf(Thread.class, java.util.concurrent.Executors.class)
                .check(CLASSES);
    }
}
