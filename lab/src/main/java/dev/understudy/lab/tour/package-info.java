/// The tour: six events on a whole site, measured, as a table and as JSON.
@NullMarked
package dev.understudy.lab.tour;

import org.jspecify.annotations.NullMarked;
