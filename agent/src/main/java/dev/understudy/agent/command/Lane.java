package dev.understudy.agent.command;

import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// A thread of its own for work that must happen in order, such as everything that touches one address. Bounded:
/// work beyond 64 waiting tasks is refused. The thread ends by itself when there is nothing to do.
final class Lane implements AutoCloseable {

    private static final int WAITING = 64;

    private final ThreadPoolExecutor executor;
    private final Object lock = new Object();
    private @Nullable Thread running;

    Lane(String name) {
        executor = new ThreadPoolExecutor(
                1,
                1,
                10,
                TimeUnit.SECONDS,
                new ArrayBlockingQueue<>(WAITING),
                Thread.ofPlatform().name(name).daemon(true).factory());
        executor.allowCoreThreadTimeOut(true);
    }

    /// Runs the task after those before it. An exception of the task, or of a full queue, completes the future.
    <T> CompletableFuture<T> submit(Callable<T> task) {
        CompletableFuture<T> result = new CompletableFuture<>();
        try {
            executor.execute(() -> run(task, result));
        } catch (RejectedExecutionException e) {
            result.completeExceptionally(e);
        }
        return result;
    }

    /// Interrupts the task that runs now, if any.
    void interrupt() {
        synchronized (lock) {
            if (running != null) {
                running.interrupt();
            }
        }
    }

    @Override
    public void close() {
        executor.shutdownNow();
    }

    private <T> void run(Callable<T> task, CompletableFuture<T> result) {
        synchronized (lock) {
            running = Thread.currentThread();
        }
        T value = null;
        Throwable problem = null;
        try {
            value = task.call();
        } catch (Throwable e) {
            problem = e;
        } finally {
            synchronized (lock) {
                running = null;
                Thread.interrupted(); // an interrupt was meant for this task alone
            }
        }
        if (problem != null) {
            result.completeExceptionally(problem);
        } else {
            result.complete(value);
        }
    }
}
