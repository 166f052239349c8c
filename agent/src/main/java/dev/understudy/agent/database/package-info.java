/// The database server on this host: looks at it, fences it, promotes it, makes it follow. One [LocalDatabase] a
/// database group; every SQL statement is behind [Dialect]. The recipes are those of SAFETY S14 to S20.
@NullMarked
package dev.understudy.agent.database;

import org.jspecify.annotations.NullMarked;
