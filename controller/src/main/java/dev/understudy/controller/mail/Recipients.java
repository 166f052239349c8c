package dev.understudy.controller.mail;

import dev.understudy.controller.mail.NoticeSettings.Mail;
import dev.understudy.controller.mail.NoticeSettings.Route;
import dev.understudy.core.notice.Audience;
import dev.understudy.core.notice.Notice.Channel;
import dev.understudy.core.notice.Severity;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;

/// Who gets what: for each group of an incident the first route that fits it, or else `to`.
record Recipients(NoticeSettings settings) implements Audience {

    @Override
    public List<String> of(List<String> groups, Severity severity) {
        Mail mail = settings.mail();
        if (mail == null) {
            return List.of();
        }
        Collection<String> to = new TreeSet<>();
        List<String> asked = groups.isEmpty() ? List.of("") : groups;
        for (String group : asked) {
            Optional<Route> route = mail.routes().stream()
                    .filter(r -> r.groups().isEmpty() || r.groups().contains(group))
                    .filter(r -> severity.atLeast(r.severity()))
                    .findFirst();
            if (route.isPresent()) {
                to.addAll(route.get().to());
            } else if (severity.atLeast(mail.severity())) {
                to.addAll(mail.to());
            }
        }
        return List.copyOf(to);
    }

    @Override
    public List<Channel> channels(List<String> to) {
        List<Channel> channels = new ArrayList<>();
        if (!to.isEmpty()) {
            channels.add(Channel.MAIL);
        }
        if (settings.webhook() != null) {
            channels.add(Channel.WEBHOOK);
        }
        return channels;
    }
}
