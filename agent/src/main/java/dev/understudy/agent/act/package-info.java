/// What the agent does on orders: addresses, the database, HAProxy's servers. Nothing here decides.
@NullMarked
package dev.understudy.agent.act;

import org.jspecify.annotations.NullMarked;
