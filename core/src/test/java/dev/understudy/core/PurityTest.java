package dev.understudy.core;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

/// The core and the lease protocol use no thread, socket, file, clock, unseeded random, logger or codec: time and
/// everything else comes in as a value.
class PurityTest {

    private static final JavaClasses PURE = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("dev.understudy.core", "dev.understudy.protocol");

    @Test
    void depends_on_nothing_that_acts() {
        noClasses()
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(
                        "java.io..",
                        "java.nio..",
                        "java.net..",
                        "java.util.concurrent..",
                        "java.sql..",
                        "org.slf4j..",
                        "tools.jackson..",
                        "com.fasterxml..")
                .check(PURE);
    }

    @Test
    void asks_no_clock_thread_or_chance() {
        noClasses()
                .should()
                .dependOnClassesThat()
                .haveFullyQualifiedName("java.util.Random")
                .orShould()
                .dependOnClassesThat()
                .haveFullyQualifiedName("java.lang.Thread")
                .orShould()
                .dependOnClassesThat()
                .haveFullyQualifiedName("java.time.Clock")
                .orShould()
                .dependOnClassesThat()
                .haveFullyQualifiedName("java.lang.System")
                .orShould()
                .callMethod(java.time.Instant.class, "now")
                .check(PURE);
    }

    @Test
    void reads_in_one_direction() {
        noClasses()
                .that()
                .resideInAPackage("..core.evidence..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("..core.diagnosis..", "..core.policy..", "..core.candidate..", "..core.plan..")
                .check(PURE);
        noClasses()
                .that()
                .resideInAnyPackage("..core.diagnosis..", "..core.policy..", "..core.candidate..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("..core.plan..")
                .check(PURE);
        slices().matching("dev.understudy.core.(*)..").should().beFreeOfCycles().check(PURE);
    }
}
