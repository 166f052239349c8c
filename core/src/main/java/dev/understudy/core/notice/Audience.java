package dev.understudy.core.notice;

import dev.understudy.core.notice.Notice.Channel;
import java.util.List;

/// Who is told of what.
public interface Audience {

    /// Mail addresses, each once; empty for nobody.
    List<String> of(List<String> groups, Severity severity);

    /// Channels for something with these recipients.
    List<Channel> channels(List<String> to);
}
