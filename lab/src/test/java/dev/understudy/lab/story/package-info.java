/// Stories: what happens to a whole site, told as it would be told to a colleague.
@NullMarked
package dev.understudy.lab.story;

import org.jspecify.annotations.NullMarked;
