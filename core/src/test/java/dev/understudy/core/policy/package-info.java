/// Tests of the policy tables.
@NullMarked
package dev.understudy.core.policy;

import org.jspecify.annotations.NullMarked;
