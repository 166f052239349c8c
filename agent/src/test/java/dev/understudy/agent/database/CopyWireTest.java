package dev.understudy.agent.database;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.understudy.protocol.CopyTicket;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/// Both sides of a copy's connection prove the token, and nothing on the way is changed, left out or cut off unnoticed.
class CopyWireTest {

    private static final CopyTicket TICKET = new CopyTicket("R12.1", "ab".repeat(32));
    private static final int MAC = 32;

    /// A connection whose donor side is at hand, and what went to the receiver is kept.
    private static final class Wire {
        final OutputStream toDonor;
        final OutputStream toReceiver;
        final DataInputStream donorIn;
        final DataInputStream receiverIn;

        /// Over loopback: a pipe of Java's is dead as soon as the thread that read from it last is.
        Wire() throws IOException {
            try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
                Socket receiver = new Socket(server.getInetAddress(), server.getLocalPort());
                Socket donor = server.accept();
                toDonor = receiver.getOutputStream();
                receiverIn = new DataInputStream(receiver.getInputStream());
                toReceiver = donor.getOutputStream();
                donorIn = new DataInputStream(donor.getInputStream());
            }
        }

        CopyWire.Sender donor(CopyTicket ticket) throws IOException {
            return CopyWire.accept(ticket, donorIn, new DataOutputStream(toReceiver));
        }

        CompletableFuture<CopyWire.Receiver> receiver(CopyTicket ticket) {
            return CompletableFuture.supplyAsync(
                    () -> {
                        try {
                            return CopyWire.connect(ticket, receiverIn, new DataOutputStream(toDonor));
                        } catch (IOException e) {
                            throw new java.io.UncheckedIOException(e);
                        }
                    },
                    Thread::startVirtualThread);
        }
    }

    @Test
    void what_is_sent_comes_in_order_and_its_end_is_told() throws Exception {
        Wire wire = new Wire();
        CompletableFuture<CopyWire.Receiver> connecting = wire.receiver(TICKET);
        CopyWire.Sender sender = wire.donor(TICKET);
        CopyWire.Receiver receiver = connecting.get(5, TimeUnit.SECONDS);
        sender.data(bytes("first"), 5);
        sender.alive();
        sender.data(bytes("second"), 6);
        sender.end("0-1-7");
        assertThat(next(receiver)).isEqualTo("first");
        assertThat(receiver.next()).isZero();
        assertThat(next(receiver)).isEqualTo("second");
        assertThat(receiver.history()).isEmpty();
        assertThat(receiver.next()).isEqualTo(-1);
        assertThat(receiver.history()).isEqualTo("0-1-7");
    }

    @Test
    void a_receiver_without_the_token_gets_nothing() throws Exception {
        Wire wire = new Wire();
        var _ = wire.receiver(new CopyTicket("R12.1", "cd".repeat(32))).exceptionally(_ -> {
            try {
                wire.toDonor.close();
            } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
            return null;
        });
        assertThatThrownBy(() -> wire.donor(TICKET)).isInstanceOf(IOException.class);
    }

    @Test
    void a_donor_without_the_token_is_not_believed() throws Exception {
        Wire wire = new Wire();
        CompletableFuture<CopyWire.Receiver> connecting = wire.receiver(TICKET);
        CompletableFuture<Void> donor = CompletableFuture.runAsync(
                () -> {
                    try {
                        wire.donor(new CopyTicket("R12.1", "cd".repeat(32)));
                    } catch (IOException e) {
                        throw new java.io.UncheckedIOException(e);
                    }
                },
                Thread::startVirtualThread);
        assertThatThrownBy(() -> connecting.get(5, TimeUnit.SECONDS))
                .isInstanceOf(ExecutionException.class)
                .hasRootCauseInstanceOf(CopyWire.Untrusted.class);
        wire.toDonor.close();
        assertThatThrownBy(() -> donor.get(5, TimeUnit.SECONDS)).isInstanceOf(ExecutionException.class);
    }

    @Test
    void a_ticket_of_another_attempt_is_not_taken() throws Exception {
        Wire wire = new Wire();
        CompletableFuture<CopyWire.Receiver> connecting = wire.receiver(new CopyTicket("R12.2", TICKET.token()));
        CompletableFuture<Void> donor = CompletableFuture.runAsync(
                () -> {
                    try {
                        wire.donor(TICKET);
                    } catch (IOException e) {
                        throw new java.io.UncheckedIOException(e);
                    }
                },
                Thread::startVirtualThread);
        assertThatThrownBy(() -> connecting.get(5, TimeUnit.SECONDS)).hasRootCauseInstanceOf(CopyWire.Untrusted.class);
        wire.toDonor.close();
        assertThatThrownBy(() -> donor.get(5, TimeUnit.SECONDS)).isInstanceOf(ExecutionException.class);
    }

    @Test
    void a_changed_a_repeated_and_a_missing_frame_are_noticed() throws Exception {
        byte[][] frames = frames();
        assertThat(read(frames[0], frames[1], frames[2])).isEqualTo("first second end");
        byte[] changed = frames[0].clone();
        changed[6] ^= 1;
        assertThatThrownBy(() -> read(changed)).isInstanceOf(CopyWire.Untrusted.class);
        assertThatThrownBy(() -> read(frames[0], frames[0])).isInstanceOf(CopyWire.Untrusted.class);
        assertThatThrownBy(() -> read(frames[1])).isInstanceOf(CopyWire.Untrusted.class);
        byte[] end = frames[2].clone();
        assertThatThrownBy(() -> read(end)).as("cut short").isInstanceOf(CopyWire.Untrusted.class);
        assertThatThrownBy(() -> read(frames[0])).as("no end came").isInstanceOf(java.io.EOFException.class);
    }

    @Test
    void a_donor_that_fails_says_why() throws Exception {
        Wire wire = new Wire();
        CompletableFuture<CopyWire.Receiver> connecting = wire.receiver(TICKET);
        CopyWire.Sender sender = wire.donor(TICKET);
        sender.failed("mariadb-backup exited with 1");
        CopyWire.Receiver receiver = connecting.get(5, TimeUnit.SECONDS);
        assertThatThrownBy(receiver::next)
                .isInstanceOf(CopyWire.Ended.class)
                .hasMessage("mariadb-backup exited with 1");
    }

    @Test
    void the_token_is_never_sent_and_stands_in_no_text() throws Exception {
        Wire wire = new Wire();
        CompletableFuture<CopyWire.Receiver> connecting = wire.receiver(TICKET);
        ByteArrayOutputStream sent = new ByteArrayOutputStream();
        DataOutputStream both = new DataOutputStream(new java.io.OutputStream() {
            @Override
            public void write(int b) throws IOException {
                sent.write(b);
                wire.toReceiver.write(b);
            }
        });
        CopyWire.accept(TICKET, wire.donorIn, both).end("");
        assertThat(connecting.get(5, TimeUnit.SECONDS).next()).isEqualTo(-1);
        byte[] secret = java.util.HexFormat.of().parseHex(TICKET.token());
        assertThat(new String(sent.toByteArray(), StandardCharsets.ISO_8859_1))
                .doesNotContain(new String(secret, StandardCharsets.ISO_8859_1));
        assertThat(TICKET.toString()).doesNotContain(TICKET.token());
    }

    /// The frames of "first ", "second " and the end, as they were sent to a receiver whose key [#read] knows too.
    private byte[][] frames() throws Exception {
        ByteArrayOutputStream sent = new ByteArrayOutputStream();
        CopyWire.Sender sender = CopyWire.Sender.keyed(new DataOutputStream(sent), new byte[MAC]);
        byte[][] frames = new byte[3][];
        sender.data(bytes("first "), 6);
        frames[0] = sent.toByteArray();
        sender.data(bytes("second "), 7);
        frames[1] = Arrays.copyOfRange(sent.toByteArray(), frames[0].length, sent.size());
        int before = sent.size();
        sender.end("0-1-7");
        frames[2] = Arrays.copyOfRange(sent.toByteArray(), before, sent.size());
        return frames;
    }

    private static String read(byte[]... frames) throws IOException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (byte[] frame : frames) {
            all.write(frame);
        }
        CopyWire.Receiver receiver = CopyWire.Receiver.keyed(
                new DataInputStream(new ByteArrayInputStream(all.toByteArray())), new byte[MAC]);
        StringBuilder text = new StringBuilder();
        int came = receiver.next();
        while (came >= 0) {
            text.append(new String(receiver.buffer(), 0, came, StandardCharsets.UTF_8));
            came = receiver.next();
        }
        return text + "end";
    }

    private static String next(CopyWire.Receiver receiver) throws IOException {
        return new String(receiver.buffer(), 0, receiver.next(), StandardCharsets.UTF_8);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
