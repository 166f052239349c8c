/// Reads `cluster.yml`, strictly: every error says file, line, key and what was expected.
@NullMarked
package dev.understudy.controller.config;

import org.jspecify.annotations.NullMarked;
