/// What the API says, as records that the server writes and the CLI reads. Names in JSON are snake_case.
@NullMarked
package dev.understudy.controller.api;

import org.jspecify.annotations.NullMarked;
