/// What this host may hold: the lease thread, its durable floors, fencing on expiry.
@NullMarked
package dev.understudy.agent.lease;

import org.jspecify.annotations.NullMarked;
