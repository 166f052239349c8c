package dev.understudy.lab.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/// Lists nftables objects in the namespace of the thread that makes and uses it, through libnftables: under a
/// millisecond, where the `nft` program takes about ten. Confined to that thread.
public final class NftReader implements AutoCloseable {

    private final Arena arena = Arena.ofConfined();
    private final MethodHandle run;
    private final MethodHandle output;
    private final MethodHandle free;
    private final MemorySegment context;

    public NftReader() {
        Linker linker = Linker.nativeLinker();
        SymbolLookup library = SymbolLookup.libraryLookup("libnftables.so.1", arena);
        MethodHandle make = linker.downcallHandle(
                library.findOrThrow("nft_ctx_new"), FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.JAVA_INT));
        MethodHandle buffer = linker.downcallHandle(
                library.findOrThrow("nft_ctx_buffer_output"),
                FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS));
        MethodHandle bufferErrors = linker.downcallHandle(
                library.findOrThrow("nft_ctx_buffer_error"),
                FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS));
        run = linker.downcallHandle(
                library.findOrThrow("nft_run_cmd_from_buffer"),
                FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS));
        output = linker.downcallHandle(
                library.findOrThrow("nft_ctx_get_output_buffer"),
                FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.ADDRESS));
        free = linker.downcallHandle(
                library.findOrThrow("nft_ctx_free"), FunctionDescriptor.ofVoid(ValueLayout.ADDRESS));
        try {
            context = (MemorySegment) make.invokeExact(0);
            int buffered = (int) buffer.invokeExact(context) | (int) bufferErrors.invokeExact(context);
            if (buffered != 0) {
                throw new IllegalStateException("libnftables cannot buffer its output");
            }
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException("libnftables", e);
        }
    }

    /// The output of one listing command, empty when the object does not exist.
    public String list(String command) {
        try (Arena call = Arena.ofConfined()) {
            int result = (int) run.invokeExact(context, call.allocateFrom(command));
            MemorySegment text = (MemorySegment) output.invokeExact(context);
            return result == 0 ? text.reinterpret(Long.MAX_VALUE).getString(0) : "";
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException("libnftables: " + command, e);
        }
    }

    @Override
    public void close() {
        try {
            free.invokeExact(context);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException("libnftables", e);
        }
        arena.close();
    }
}
