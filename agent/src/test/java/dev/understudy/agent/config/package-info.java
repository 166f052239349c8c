@NullMarked
package dev.understudy.agent.config;

import org.jspecify.annotations.NullMarked;
