/// One thread owns the controller's state: input in, decision out, journal, then send. Start with
/// [dev.understudy.controller.loop.ControllerLoop].
@NullMarked
package dev.understudy.controller.loop;

import org.jspecify.annotations.NullMarked;
