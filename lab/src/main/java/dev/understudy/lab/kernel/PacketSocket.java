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
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/// Sends and receives Ethernet frames on one interface, packet(7), in the namespace of the thread that makes it and
/// uses it. Receives ARP, and TCP segments to one port; nothing else, so that a busy wire costs nothing.
public final class PacketSocket implements AutoCloseable {

    private static final int AF_PACKET = 17;
    private static final int SOCK_RAW_CLOEXEC_NONBLOCK = 3 | 0x80000 | 0x800;
    private static final short ETH_P_ALL = 3;
    private static final int SOL_SOCKET = 1;
    private static final int SO_ATTACH_FILTER = 26;
    private static final short POLLIN = 1;
    private static final int EAGAIN = 11;
    private static final int ENETDOWN = 100;
    private static final int LARGEST = 128;

    private static final Linker LINKER = Linker.nativeLinker();
    private static final StructLayout CAPTURE = Linker.Option.captureStateLayout();
    private static final VarHandle ERRNO = CAPTURE.varHandle(MemoryLayout.PathElement.groupElement("errno"));
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
    private static final ValueLayout.OfShort NETWORK_SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final MethodHandle SOCKET = function("socket", FunctionDescriptor.of(INT, INT, INT, INT));
    private static final MethodHandle BIND =
            function("bind", FunctionDescriptor.of(INT, INT, ValueLayout.ADDRESS, INT));
    private static final MethodHandle SETSOCKOPT =
            function("setsockopt", FunctionDescriptor.of(INT, INT, INT, INT, ValueLayout.ADDRESS, INT));
    private static final MethodHandle SEND =
            function("send", FunctionDescriptor.of(LONG, INT, ValueLayout.ADDRESS, LONG, INT));
    private static final MethodHandle RECV =
            function("recv", FunctionDescriptor.of(LONG, INT, ValueLayout.ADDRESS, LONG, INT));
    private static final MethodHandle POLL =
            function("poll", FunctionDescriptor.of(INT, ValueLayout.ADDRESS, LONG, INT));
    private static final MethodHandle CLOSE = function("close", FunctionDescriptor.of(INT, INT));

    private final Arena arena = Arena.ofConfined();
    private final MemorySegment errno = arena.allocate(CAPTURE);
    private final MemorySegment out = arena.allocate(LARGEST);
    private final MemorySegment in = arena.allocate(LARGEST);
    private final MemorySegment ready = arena.allocate(8, 4);
    private final int socket;

    /// @param link the interface's index
    /// @param port the local TCP port whose segments are received
    public PacketSocket(int link, int port) {
        try {
            socket = checked("socket", (int) SOCKET.invokeExact(errno, AF_PACKET, SOCK_RAW_CLOEXEC_NONBLOCK, 0));
            MemorySegment program = filter(port);
            checked("filter", (int) SETSOCKOPT.invokeExact(
                    errno, socket, SOL_SOCKET, SO_ATTACH_FILTER, program, (int) program.byteSize()));
            MemorySegment address = arena.allocate(20, 4); // struct sockaddr_ll
            address.set(ValueLayout.JAVA_SHORT, 0, (short) AF_PACKET);
            address.set(NETWORK_SHORT, 2, ETH_P_ALL);
            address.set(INT, 4, link);
            checked("bind", (int) BIND.invokeExact(errno, socket, address, 20));
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException("packet socket", e);
        }
    }

    /// Sends one frame; whether the kernel took it (an interface that is down does not).
    public boolean send(byte[] frame) {
        try {
            MemorySegment.copy(frame, 0, out, ValueLayout.JAVA_BYTE, 0, frame.length);
            return (long) SEND.invokeExact(errno, socket, out, (long) frame.length, 0) == frame.length;
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException("send", e);
        }
    }

    /// The next frame (its first 128 bytes), or null when none comes within the time.
    public byte @Nullable [] receive(int timeoutMillis) {
        try {
            ready.set(INT, 0, socket);
            ready.set(ValueLayout.JAVA_SHORT, 4, POLLIN);
            int polled = (int) POLL.invokeExact(errno, ready, 1L, timeoutMillis);
            if (polled <= 0) {
                return null;
            }
            long length = (long) RECV.invokeExact(errno, socket, in, (long) LARGEST, 0);
            if (length < 0) {
                int error = (int) ERRNO.get(errno, 0L);
                if (error == EAGAIN || error == ENETDOWN) { // the interface was down: its host is off
                    return null;
                }
                throw new IllegalStateException("recv: errno " + error);
            }
            return in.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException("recv", e);
        }
    }

    @Override
    public void close() {
        try {
            int closed = (int) CLOSE.invokeExact(errno, socket);
            checked("close", closed);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException("close", e);
        }
        arena.close();
    }

    /// A classic BPF program (struct sock_fprog): ARP, or TCP over IPv4 without options to the port.
    private MemorySegment filter(int port) {
        // spotless:off
        int[][] lines = { // code, jump if true, jump if false, constant
            {0x28, 0, 0, 12},      // the frame's type
            {0x15, 5, 0, 0x0806},  // ARP: take it
            {0x15, 0, 5, 0x0800},  // not IPv4: leave it
            {0x30, 0, 0, 23},      // the protocol
            {0x15, 0, 3, 6},       // not TCP: leave it
            {0x28, 0, 0, 36},      // the destination port
            {0x15, 0, 1, port},
            {0x06, 0, 0, 0xffff},  // take it
            {0x06, 0, 0, 0},       // leave it
        };
        // spotless:on
        MemorySegment code = arena.allocate(8L * lines.length, 8);
        for (int i = 0; i < lines.length; i++) {
            code.set(ValueLayout.JAVA_SHORT, 8L * i, (short) lines[i][0]);
            code.set(ValueLayout.JAVA_BYTE, 8L * i + 2, (byte) lines[i][1]);
            code.set(ValueLayout.JAVA_BYTE, 8L * i + 3, (byte) lines[i][2]);
            code.set(INT, 8L * i + 4, lines[i][3]);
        }
        MemorySegment program = arena.allocate(16, 8);
        program.set(ValueLayout.JAVA_SHORT, 0, (short) lines.length);
        program.set(ValueLayout.ADDRESS, 8, code);
        return program;
    }

    private int checked(String what, int result) {
        if (result < 0) {
            throw new IllegalStateException(what + ": errno " + (int) ERRNO.get(errno, 0L));
        }
        return result;
    }

    private static MethodHandle function(String name, FunctionDescriptor descriptor) {
        return LINKER.downcallHandle(
                LINKER.defaultLookup().findOrThrow(name), descriptor, Linker.Option.captureCallState("errno"));
    }
}
