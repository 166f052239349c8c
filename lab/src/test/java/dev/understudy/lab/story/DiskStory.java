package dev.understudy.lab.story;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.lab.site.LabDisk;
import dev.understudy.lab.site.LabHost;
import dev.understudy.lab.site.LabService;
import org.junit.jupiter.api.Test;

/// The disk under the primary stalls or breaks, while eight clients write.
class DiskStory extends Story {

    @Test
    @Fault("the disk of the primary stalls (fsfreeze) while eight clients write; goes on later")
    void aPrimaryWhoseDiskStallsIsReplaced() {
        LabHost old = primaryOnADiskOfItsOwn();
        LabDisk disk = LabDisk.under(old);
        try (ManyWriters writers = new ManyWriters(lab(), instruments().writer())) {
            act("the disk of " + old.name() + " stalls", disk::stall);
            LabHost successor = becomesHolderInsteadOf(old, PRIMARY);
            assertThat(ownEvents()).contains("DB-86");
            clientsAreServed();
            act("it goes on", () -> {
                disk.goOn();
                old.start(LabService.MARIADB);
            });
            siteBecomesWell();
            assertThat(primary().name()).isEqualTo(successor.name());
            writers.everythingIsEverywhere(this::tell);
        } finally {
            disk.goOn();
        }
    }

    @Test
    @Fault("the file system of the primary turns read-only at an error while eight clients write")
    void aPrimaryWhoseFileSystemTurnsReadOnlyIsReplaced() {
        discardSiteAfterwards();
        LabHost old = primaryOnADiskOfItsOwn();
        LabDisk disk = LabDisk.under(old);
        try (ManyWriters writers = new ManyWriters(lab(), instruments().writer())) {
            act("the disk of " + old.name() + " breaks", disk::fail);
            LabHost successor = becomesHolderInsteadOf(old, PRIMARY);
            assertThat(ownEvents()).containsAnyOf("DB-87", "DB-20");
            clientsAreServed();
            writers.everythingIsOn(successor);
        }
    }

    /// A replica gets the disk while another is the primary, and then the role.
    private LabHost primaryOnADiskOfItsOwn() {
        LabHost replica = replicas().getFirst();
        act("a disk of its own for " + replica.name(), () -> LabDisk.under(replica));
        siteBecomesWell();
        act("the primary moves to " + replica.name(), () -> api().switchover(PRIMARY, replica.name()));
        eventually(
                replica.name() + " is the primary",
                () -> state().steady(PRIMARY)
                        && state().holder(PRIMARY).stream().anyMatch(replica.name()::equals));
        siteBecomesWell();
        return replica;
    }
}
