/// What people are told: mails, a webhook, a heartbeat to a watchdog outside, and the calendar.
///
/// [dev.understudy.core.notice.Incidents] decides, from the state that the loop has published; the journal is the
/// spool; [dev.understudy.controller.mail.Postman] empties it. All of it runs on threads of its own, which look at
/// what the loop has published and ask it like a person does: nothing here can hold it up.
@NullMarked
package dev.understudy.controller.mail;

import org.jspecify.annotations.NullMarked;
