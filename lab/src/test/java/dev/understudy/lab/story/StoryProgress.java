package dev.understudy.lab.story;

import java.lang.reflect.Method;
import org.junit.jupiter.api.extension.AfterTestExecutionCallback;
import org.junit.jupiter.api.extension.BeforeTestExecutionCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.opentest4j.TestAbortedException;

/// One line a story, as it ends.
final class StoryProgress implements BeforeTestExecutionCallback, AfterTestExecutionCallback {

    private static final ExtensionContext.Namespace MINE = ExtensionContext.Namespace.create(StoryProgress.class);

    @Override
    public void beforeTestExecution(ExtensionContext context) {
        context.getStore(MINE).put("begin", System.nanoTime());
    }

    @Override
    public void afterTestExecution(ExtensionContext context) {
        Long begin = context.getStore(MINE).remove("begin", Long.class);
        double seconds = begin == null ? 0 : (System.nanoTime() - begin) / 1e9;
        System.out.printf(
                "  story %s: %s %.1f s%n",
                context.getRequiredTestClass().getSimpleName() + "#"
                        + context.getTestMethod().map(Method::getName).orElse("?"),
                context.getExecutionException()
                        .map(e -> e instanceof TestAbortedException
                                ? "left out, " + e.getMessage() + ","
                                : "FAILED after")
                        .orElse("ok,"),
                seconds);
    }
}
