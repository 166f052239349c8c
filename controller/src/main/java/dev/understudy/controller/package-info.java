/// The controller: a shell around the pure core. Read [dev.understudy.controller.Controller] (how the parts are put
/// together), then `loop`, `journal`, `web`. The CLI is in `cli`.
@NullMarked
package dev.understudy.controller;

import org.jspecify.annotations.NullMarked;
