@NullMarked
package dev.understudy.agent.sys;

import org.jspecify.annotations.NullMarked;
