package dev.understudy.controller.mail;

/// What came of handing something over.
///
/// @param result what to do about it
/// @param text one line
record Delivery(Result result, String text) {

    enum Result {
        /// the other side has taken it
        DONE,
        /// the other side is not there, not willing now, or does not know us: the same is tried again later
        LATER,
        /// the other side refuses just this one: others may pass
        REFUSED
    }

    static Delivery done(String text) {
        return new Delivery(Result.DONE, text);
    }

    static Delivery later(String text) {
        return new Delivery(Result.LATER, text);
    }

    static Delivery refused(String text) {
        return new Delivery(Result.REFUSED, text);
    }
}
