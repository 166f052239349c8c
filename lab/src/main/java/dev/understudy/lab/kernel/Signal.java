package dev.understudy.lab.kernel;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/// A signal, sent with kill(2) by this process itself: on a busy machine a process that sends it takes long to
/// start, and a fault would last longer than it says.
public enum Signal {
    KILL(9),
    TERM(15),
    CONT(18),
    STOP(19);

    private static final MethodHandle KILL_CALL = Linker.nativeLinker()
            .downcallHandle(
                    Linker.nativeLinker().defaultLookup().findOrThrow("kill"),
                    FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));

    private final int number;

    Signal(int number) {
        this.number = number;
    }

    /// To a process that has just ended it does nothing.
    public void send(long pid) {
        try {
            var _ = (int) KILL_CALL.invokeExact((int) pid, number);
        } catch (Throwable e) {
            throw new IllegalStateException("kill(2)", e);
        }
    }
}
