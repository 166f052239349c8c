/// The site itself: hosts as namespaces, two networks, real servers with their files, faults, and what an earlier
/// run left.
@NullMarked
package dev.understudy.lab.site;

import org.jspecify.annotations.NullMarked;
