package dev.understudy.controller.loop;

import dev.understudy.core.Now;
import dev.understudy.protocol.Moment;
import java.time.Instant;

/// The controller's clock. It is read here and nowhere else.
public interface Ticking {

    Now now();

    static Ticking system() {
        return () -> new Now(new Moment(System.nanoTime()), Instant.now());
    }
}
