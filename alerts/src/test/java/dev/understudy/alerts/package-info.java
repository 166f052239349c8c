@NullMarked
package dev.understudy.alerts;

import org.jspecify.annotations.NullMarked;
