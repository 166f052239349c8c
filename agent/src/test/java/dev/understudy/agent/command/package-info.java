@NullMarked
package dev.understudy.agent.command;

import org.jspecify.annotations.NullMarked;
