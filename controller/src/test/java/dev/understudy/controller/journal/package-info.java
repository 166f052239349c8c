@NullMarked
package dev.understudy.controller.journal;

import org.jspecify.annotations.NullMarked;
