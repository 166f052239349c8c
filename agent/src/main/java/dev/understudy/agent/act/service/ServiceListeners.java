package dev.understudy.agent.act.service;

import dev.understudy.protocol.ServiceState;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

/// Who wants to hear of a service, and the last state that they heard. Thread-safe.
final class ServiceListeners {

    private final List<Consumer<ServiceState>> listeners = new CopyOnWriteArrayList<>();
    private ServiceState state = ServiceState.UNKNOWN;

    void add(Consumer<ServiceState> listener) {
        listeners.add(listener);
    }

    synchronized ServiceState state() {
        return state;
    }

    /// Tells the state to everybody if it is another one than before.
    void tell(ServiceState now) {
        synchronized (this) {
            if (state == now) {
                return;
            }
            state = now;
        }
        listeners.forEach(listener -> listener.accept(now));
    }
}
