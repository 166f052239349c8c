/// The one situation of a resource or member that the evidence adds up to.
@NullMarked
package dev.understudy.core.diagnosis;

import org.jspecify.annotations.NullMarked;
