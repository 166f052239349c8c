/// How the rows of the tables are carried out: phases entered, orders sent and repeated, facts collected.
@NullMarked
package dev.understudy.core.plan;

import org.jspecify.annotations.NullMarked;
