@NullMarked
package dev.understudy.controller.mail;

import org.jspecify.annotations.NullMarked;
