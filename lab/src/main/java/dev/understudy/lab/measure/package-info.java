/// What clients of the site see, and who holds what, looked at every 10 ms.
@NullMarked
package dev.understudy.lab.measure;

import org.jspecify.annotations.NullMarked;
