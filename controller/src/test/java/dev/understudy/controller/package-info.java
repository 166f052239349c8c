@NullMarked
package dev.understudy.controller;

import org.jspecify.annotations.NullMarked;
