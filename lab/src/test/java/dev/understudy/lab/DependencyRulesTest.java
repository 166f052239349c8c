package dev.understudy.lab;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

/// Who may know whom (DESIGN section 3). The pure modules have a test of their own in `core`.
class DependencyRulesTest {

    private static final JavaClasses ALL = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("dev.understudy");

    @Test
    void agent_and_controller_do_not_know_each_other() {
        neverFrom("..understudy.agent..", "..understudy.controller..", "..understudy.core..");
        neverFrom("..understudy.controller..", "..understudy.agent..");
    }

    @Test
    void what_both_need_knows_neither() {
        neverFrom("..understudy.wire..", "..understudy.core..", "..understudy.agent..", "..understudy.controller..");
        neverFrom("..understudy.protocol..", "..understudy.wire..", "..understudy.core..");
    }

    @Test
    void nothing_that_ships_knows_the_lab() {
        neverFrom("..understudy.agent..", "..understudy.lab..");
        neverFrom("..understudy.controller..", "..understudy.lab..");
    }

    @Test
    void probes_do_not_act() {
        neverFrom("..agent.probe..", "..agent.act.net..", "..agent.lease..", "..agent.command..");
    }

    @Test
    void no_package_is_called_common_or_util() {
        noClasses()
                .should()
                .resideInAnyPackage("..common..", "..util..", "..utils..")
                .check(ALL);
    }

    private static void neverFrom(String who, String... whom) {
        noClasses()
                .that()
                .resideInAPackage(who)
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(whom)
                .check(ALL);
    }
}
