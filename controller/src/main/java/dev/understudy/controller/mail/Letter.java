package dev.understudy.controller.mail;

import java.time.Instant;
import java.util.List;

/// A mail as it is sent, but for the protocol.
///
/// @param messageId in angle brackets; the same whenever and by whomever this notice is sent
/// @param thread the message that it answers, empty for the first
public record Letter(
        String messageId,
        String thread,
        String listId,
        String from,
        String fromName,
        List<String> to,
        String subject,
        String plain,
        String html,
        Instant date) {
    public Letter {
        to = List.copyOf(to);
    }
}
