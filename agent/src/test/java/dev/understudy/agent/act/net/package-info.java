@NullMarked
package dev.understudy.agent.act.net;

import org.jspecify.annotations.NullMarked;
