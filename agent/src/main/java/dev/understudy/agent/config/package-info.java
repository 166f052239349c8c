/// The agent's own small file, read strictly.
@NullMarked
package dev.understudy.agent.config;

import org.jspecify.annotations.NullMarked;
