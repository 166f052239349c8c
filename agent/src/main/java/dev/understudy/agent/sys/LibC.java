package dev.understudy.agent.sys;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.time.Duration;

/// System calls of Linux (x86-64, aarch64; glibc). Each returns what the call returns, or `-errno` when it failed:
/// nothing here throws for an error of operation. Blocking calls belong on platform threads.
public final class LibC {

    public static final int AF_INET = 2;
    public static final int AF_INET6 = 10;
    public static final int AF_NETLINK = 16;
    public static final int AF_PACKET = 17;
    public static final int SOCK_RAW = 3;
    public static final int SOCK_CLOEXEC = 0x80000;

    public static final int ENOENT = 2;
    public static final int ESRCH = 3;
    public static final int EINTR = 4;
    public static final int EEXIST = 17;
    public static final int ENODEV = 19;
    public static final int EADDRNOTAVAIL = 99;
    public static final int ENOBUFS = 105;

    private static final int CLONE_NEWNET = 0x40000000;
    private static final int O_CLOEXEC = 0x80000;
    private static final int POLLIN = 1;
    /// The same number on every architecture: added with the unified table (Linux 5.3).
    private static final long SYS_PIDFD_OPEN = 434;

    private static final Linker LINKER = Linker.nativeLinker();
    private static final StructLayout STATE = Linker.Option.captureStateLayout();
    private static final VarHandle ERRNO = STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));

    private static final MethodHandle SOCKET = find("socket", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT);
    private static final MethodHandle BIND = find("bind", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT);
    private static final MethodHandle SENDTO =
            find("sendto", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT);
    private static final MethodHandle RECV = find("recv", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT);
    private static final MethodHandle POLL = find("poll", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT);
    private static final MethodHandle CLOSE = find("close", JAVA_INT, JAVA_INT);
    private static final MethodHandle OPEN = find("open", JAVA_INT, ADDRESS, JAVA_INT);
    private static final MethodHandle SETNS = find("setns", JAVA_INT, JAVA_INT, JAVA_INT);
    private static final MethodHandle KILL = find("kill", JAVA_INT, JAVA_INT, JAVA_INT);
    private static final MethodHandle PIDFD_OPEN = variadic("syscall", 1, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);

    private LibC() {}

    public static int socket(int family, int type, int protocol) {
        return (int) call(state -> (int) SOCKET.invokeExact(state, family, type, protocol));
    }

    public static int bind(int socket, byte[] address) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment where = copy(arena, address);
            return (int) call(state -> (int) BIND.invokeExact(state, socket, where, address.length));
        }
    }

    /// Sends one datagram; to the socket's own peer when `address` is empty.
    public static long send(int socket, byte[] data, byte[] address) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment what = copy(arena, data);
            MemorySegment where = address.length == 0 ? MemorySegment.NULL : copy(arena, address);
            return call(state ->
                    (long) SENDTO.invokeExact(state, socket, what, (long) data.length, 0, where, address.length));
        }
    }

    /// Receives one datagram into `buffer`, blocking until there is one.
    public static long receive(int socket, byte[] buffer) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment into = arena.allocate(buffer.length);
            long got = call(state -> (long) RECV.invokeExact(state, socket, into, (long) buffer.length, 0));
            if (got > 0) {
                MemorySegment.copy(into, 0, MemorySegment.ofArray(buffer), 0, got);
            }
            return got;
        }
    }

    /// Waits until the descriptor is readable: 1 when it is, 0 when the time is over.
    public static int pollReadable(int descriptor, Duration timeout) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment poll = arena.allocate(8, 4);
            poll.set(JAVA_INT, 0, descriptor);
            poll.set(JAVA_SHORT, 4, (short) POLLIN);
            int millis = (int) Math.min(Integer.MAX_VALUE, timeout.toMillis());
            return (int) call(state -> (int) POLL.invokeExact(state, poll, 1L, millis));
        }
    }

    public static int close(int descriptor) {
        return (int) call(state -> (int) CLOSE.invokeExact(state, descriptor));
    }

    /// pidfd_open(2): a descriptor that becomes readable when the process ends, also while it is an unreaped zombie.
    public static int pidfdOpen(long pid) {
        return (int) call(state -> (long) PIDFD_OPEN.invokeExact(state, SYS_PIDFD_OPEN, pid, 0L));
    }

    public static int kill(long pid, int signal) {
        int target = Math.toIntExact(pid);
        return (int) call(state -> (int) KILL.invokeExact(state, target, signal));
    }

    /// Moves the calling platform thread into the network namespace of that file, for the rest of its life.
    static void enterNetworkNamespace(String path) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment file = arena.allocateFrom(path);
            int descriptor = (int) call(state -> (int) OPEN.invokeExact(state, file, O_CLOEXEC));
            if (descriptor < 0) {
                throw new IOException("cannot open " + path + ": errno " + -descriptor);
            }
            int result = (int) call(state -> (int) SETNS.invokeExact(state, descriptor, CLONE_NEWNET));
            close(descriptor);
            if (result < 0) {
                throw new IOException("cannot enter " + path + ": errno " + -result);
            }
        }
    }

    @FunctionalInterface
    interface Downcall {
        long run(MemorySegment state) throws Throwable;
    }

    static long call(Downcall downcall) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            long result = downcall.run(state);
            return result < 0 ? -(long) (int) ERRNO.get(state, 0L) : result;
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException("system call", e);
        }
    }

    private static MemorySegment copy(Arena arena, byte[] bytes) {
        MemorySegment segment = arena.allocate(Math.max(1, bytes.length), 8);
        MemorySegment.copy(bytes, 0, segment, JAVA_BYTE, 0, bytes.length);
        return segment;
    }

    static MethodHandle find(String name, MemoryLayout result, MemoryLayout... arguments) {
        return LINKER.downcallHandle(
                LINKER.defaultLookup().findOrThrow(name),
                FunctionDescriptor.of(result, arguments),
                Linker.Option.captureCallState("errno"));
    }

    private static MethodHandle variadic(String name, int fixed, MemoryLayout result, MemoryLayout... arguments) {
        return LINKER.downcallHandle(
                LINKER.defaultLookup().findOrThrow(name),
                FunctionDescriptor.of(result, arguments),
                Linker.Option.captureCallState("errno"),
                Linker.Option.firstVariadicArg(fixed));
    }
}
