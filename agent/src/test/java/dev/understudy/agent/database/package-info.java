/// Tests of the database half against real servers.
@NullMarked
package dev.understudy.agent.database;

import org.jspecify.annotations.NullMarked;
