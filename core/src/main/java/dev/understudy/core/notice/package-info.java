/// What people are told, as far as every controller must know it: open incidents, and what is still to be sent.
/// What becomes an incident is decided by the controller's `mail.incident` package; here is only what is kept of
/// it.
@NullMarked
package dev.understudy.core.notice;

import org.jspecify.annotations.NullMarked;
