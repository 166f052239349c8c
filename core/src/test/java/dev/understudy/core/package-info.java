/// Tests of the core: a staged site over virtual time, golden scenarios, completeness of the tables.
@NullMarked
package dev.understudy.core;

import org.jspecify.annotations.NullMarked;
