/// Every decision of the controller, pure: no thread, socket, file, clock, random, logger or codec.
///
/// The main story is [dev.understudy.core.Core#step]. Read on in the order of a decision: `evidence` (what was
/// heard) →
/// `diagnosis` (the one situation that it adds up to) → `policy` (the tables: what to do about it) → `candidate` (who
/// could take over, and why the others could not) → `plan` (the orders of each phase).
@NullMarked
package dev.understudy.core;

import org.jspecify.annotations.NullMarked;
