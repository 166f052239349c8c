@NullMarked
package dev.understudy.agent.act.service;

import org.jspecify.annotations.NullMarked;
