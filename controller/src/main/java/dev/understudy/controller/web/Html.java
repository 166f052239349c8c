package dev.understudy.controller.web;

import org.jspecify.annotations.Nullable;

/// Builds a page. Text is escaped unless it is said to be markup.
final class Html {

    private final StringBuilder out = new StringBuilder();

    static String escape(String text) {
        StringBuilder escaped = new StringBuilder(text.length() + 16);
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '&' -> escaped.append("&amp;");
                case '<' -> escaped.append("&lt;");
                case '>' -> escaped.append("&gt;");
                case '"' -> escaped.append("&quot;");
                case '\'' -> escaped.append("&#39;");
                default -> escaped.append(c);
            }
        }
        return escaped.toString();
    }

    Html markup(String markup) {
        out.append(markup);
        return this;
    }

    Html text(String text) {
        out.append(escape(text));
        return this;
    }

    Html heading(int level, String text) {
        return markup("<h" + level + ">").text(text).markup("</h" + level + ">\n");
    }

    /// An element with a class around a text.
    Html span(String cssClass, String text) {
        return markup("<span class=\"" + escape(cssClass) + "\">").text(text).markup("</span>");
    }

    Html link(String to, String text) {
        return markup("<a href=\"" + escape(to) + "\">").text(text).markup("</a>");
    }

    Html cell(@Nullable String text) {
        return markup("<td>").text(text == null ? "–" : text).markup("</td>");
    }

    Html cell(String cssClass, String text) {
        return markup("<td>").span(cssClass, text).markup("</td>");
    }

    Html header(String... names) {
        markup("<thead><tr>");
        for (String name : names) {
            markup("<th scope=\"col\">").text(name).markup("</th>");
        }
        return markup("</tr></thead>\n");
    }

    @Override
    public String toString() {
        return out.toString();
    }
}
