/// The controller's one server: agent link, API and page. Made in [dev.understudy.controller.web.WebServer] only.
@NullMarked
package dev.understudy.controller.web;

import org.jspecify.annotations.NullMarked;
