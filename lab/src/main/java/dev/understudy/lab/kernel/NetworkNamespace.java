package dev.understudy.lab.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.ThreadFactory;

/// The network namespace of a process. Threads of this JVM enter it with setns(2) and then use ordinary Java
/// sockets there: a socket belongs to the namespace of the thread that makes it. Only platform threads made here
/// may enter; they are never given back to a pool of others.
public final class NetworkNamespace {

    private static final int CLONE_NEWNET = 0x40000000;
    private static final int O_RDONLY_CLOEXEC = 0x80000;
    private static final Linker LINKER = Linker.nativeLinker();
    private static final StructLayout CAPTURE = Linker.Option.captureStateLayout();
    private static final VarHandle ERRNO = CAPTURE.varHandle(MemoryLayout.PathElement.groupElement("errno"));
    private static final MethodHandle OPEN = function(
            "open",
            FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT),
            Linker.Option.firstVariadicArg(2));
    private static final MethodHandle SETNS =
            function("setns", FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
    private static final MethodHandle CLOSE =
            function("close", FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));

    private final String path;

    private NetworkNamespace(String path) {
        this.path = path;
    }

    public static NetworkNamespace ofProcess(long pid) {
        return new NetworkNamespace("/proc/" + pid + "/ns/net");
    }

    /// Threads that are inside from their first instruction on. Daemons: the lab's end does not wait for them.
    public ThreadFactory threads(String name) {
        return task -> Thread.ofPlatform().name(name).daemon().unstarted(() -> {
            enter();
            task.run();
        });
    }

    /// Runs the work inside, on a thread of its own, and waits for its result.
    public <T> T call(Callable<T> work) throws Exception {
        var future = new FutureTask<>(work);
        threads("in-namespace").newThread(future).start();
        try {
            return future.get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof Exception cause) {
                throw cause;
            }
            throw e;
        }
    }

    private void enter() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(CAPTURE);
            int file = (int) OPEN.invokeExact(state, arena.allocateFrom(path), O_RDONLY_CLOEXEC);
            if (file < 0) {
                throw new IllegalStateException("open " + path + ": errno " + (int) ERRNO.get(state, 0L));
            }
            int entered = (int) SETNS.invokeExact(state, file, CLONE_NEWNET);
            int errno = (int) ERRNO.get(state, 0L);
            int closed = (int) CLOSE.invokeExact(state, file);
            if (entered < 0 || closed < 0) {
                throw new IllegalStateException("setns " + path + ": errno " + errno);
            }
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException("setns " + path, e);
        }
    }

    private static MethodHandle function(String name, FunctionDescriptor descriptor, Linker.Option... more) {
        Linker.Option[] options = new Linker.Option[more.length + 1];
        options[0] = Linker.Option.captureCallState("errno");
        System.arraycopy(more, 0, options, 1, more.length);
        return LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow(name), descriptor, options);
    }
}
