@NullMarked
package dev.understudy.controller.config;

import org.jspecify.annotations.NullMarked;
