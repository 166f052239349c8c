/// The journal: what is decided is on disk, on a majority of the controllers, before anything that follows from it
/// is sent. Apache Ratis carries it, as a group of one or three with the same code.
///
/// Read [dev.understudy.controller.journal.Journal], then [dev.understudy.controller.journal.Authority].
@NullMarked
package dev.understudy.controller.journal;

import org.jspecify.annotations.NullMarked;
