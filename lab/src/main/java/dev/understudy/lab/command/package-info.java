/// The `understudy-lab` command.
@NullMarked
package dev.understudy.lab.command;

import org.jspecify.annotations.NullMarked;
