package dev.understudy.agent.database;

import dev.understudy.protocol.CopyTicket;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/// How two agents pass a copy over a connection that neither trusts. Each shows that it has the ticket's token without
/// sending it: an HMAC over both sides' fresh random numbers and its own part in this. Then come frames, each with an
/// HMAC over its number, kind and content under a key of this connection alone, so that nothing can be changed, left
/// out, repeated or cut off unnoticed. Contents are not encrypted. One thread a side; the sender's [Sender] is
/// thread-safe.
final class CopyWire {

    /// The largest content of a frame.
    static final int LARGEST = 1 << 16;

    private static final String ALGORITHM = "HmacSHA256";
    private static final int MAC = 32;
    private static final int NONCE = 32;
    private static final byte[] GREETING = "understudy-copy 1\n".getBytes(StandardCharsets.US_ASCII);
    private static final SecureRandom RANDOM = new SecureRandom();

    /// The other side does not know the ticket, or what came is not what was sent.
    static final class Untrusted extends IOException {
        private static final long serialVersionUID = 1L;

        Untrusted(String message) {
            super(message);
        }
    }

    /// The donor ended the copy and said why.
    static final class Ended extends IOException {
        private static final long serialVersionUID = 1L;

        Ended(String message) {
            super(message);
        }
    }

    private enum Kind {
        DATA(1),
        /// nothing new, to show that the other side lives
        ALIVE(2),
        /// all has been sent; the content is what the sender says of it
        END(3),
        /// the copy is over and not complete; the content says why
        FAILED(4);

        final byte code;

        Kind(int code) {
            this.code = (byte) code;
        }

        static Optional<Kind> of(byte code) {
            return Arrays.stream(values()).filter(kind -> kind.code == code).findFirst();
        }
    }

    private CopyWire() {}

    /// Donor's side, first thing on a connection.
    ///
    /// @throws Untrusted the other side does not know the ticket
    static Sender accept(CopyTicket ticket, DataInputStream in, DataOutputStream out) throws IOException {
        byte[] greeting = in.readNBytes(GREETING.length);
        if (!MessageDigest.isEqual(greeting, GREETING)) {
            throw new Untrusted("not a receiver of a copy");
        }
        byte[] theirs = readFully(in, NONCE);
        byte[] mine = nonce();
        out.write(mine);
        out.write(proof(ticket, "donor", theirs, mine));
        out.flush();
        if (!MessageDigest.isEqual(readFully(in, MAC), proof(ticket, "receiver", theirs, mine))) {
            throw new Untrusted("the other side does not know the token");
        }
        return Sender.keyed(out, proof(ticket, "frames", theirs, mine));
    }

    /// Receiver's side, first thing on a connection.
    ///
    /// @throws Untrusted the other side does not know the ticket
    static Receiver connect(CopyTicket ticket, DataInputStream in, DataOutputStream out) throws IOException {
        byte[] mine = nonce();
        out.write(GREETING);
        out.write(mine);
        out.flush();
        byte[] theirs = readFully(in, NONCE);
        if (!MessageDigest.isEqual(readFully(in, MAC), proof(ticket, "donor", mine, theirs))) {
            throw new Untrusted("the other side does not know the token");
        }
        out.write(proof(ticket, "receiver", mine, theirs));
        out.flush();
        return Receiver.keyed(in, proof(ticket, "frames", mine, theirs));
    }

    static final class Sender {
        private final DataOutputStream out;
        private final Mac mac;
        private long number;

        private Sender(DataOutputStream out, Mac mac) {
            this.out = out;
            this.mac = mac;
        }

        static Sender keyed(DataOutputStream out, byte[] key) {
            return new Sender(out, CopyWire.keyed(key));
        }

        void data(byte[] bytes, int length) throws IOException {
            frame(Kind.DATA, bytes, length);
        }

        void alive() throws IOException {
            frame(Kind.ALIVE, new byte[0], 0);
        }

        /// @param history what the receiver is told of the data: see [Receiver#history]
        void end(String history) throws IOException {
            byte[] text = history.getBytes(StandardCharsets.UTF_8);
            if (text.length > LARGEST) {
                throw new IOException("the donor's history does not fit into a frame: " + text.length + " bytes");
            }
            frame(Kind.END, text, text.length);
        }

        void failed(String why) throws IOException {
            byte[] text = why.getBytes(StandardCharsets.UTF_8);
            frame(Kind.FAILED, text, Math.min(text.length, LARGEST));
        }

        private synchronized void frame(Kind kind, byte[] bytes, int length) throws IOException {
            out.writeByte(kind.code);
            out.writeInt(length);
            out.write(bytes, 0, length);
            out.write(mac(mac, number++, kind, bytes, length));
            out.flush();
        }
    }

    static final class Receiver {
        private final DataInputStream in;
        private final Mac mac;
        private final byte[] buffer = new byte[LARGEST];
        private long number;
        private String history = "";

        private Receiver(DataInputStream in, Mac mac) {
            this.in = in;
            this.mac = mac;
        }

        static Receiver keyed(DataInputStream in, byte[] key) {
            return new Receiver(in, CopyWire.keyed(key));
        }

        byte[] buffer() {
            return buffer;
        }

        /// The state of the donor's binary log when the copy began; empty until all has come.
        String history() {
            return history;
        }

        /// Reads the next frame into the buffer.
        ///
        /// @return how many bytes came, 0 for a sign of life, -1 when all has come
        /// @throws Ended the donor ended it
        /// @throws Untrusted the frame is not one of the donor's
        int next() throws IOException {
            Optional<Kind> kind = Kind.of(in.readByte());
            int length = in.readInt();
            if (kind.isEmpty() || length < 0 || length > LARGEST) {
                throw new Untrusted("what came is no frame");
            }
            in.readFully(buffer, 0, length);
            byte[] claimed = readFully(in, MAC);
            Kind known = kind.get();
            if (!MessageDigest.isEqual(claimed, mac(mac, number++, known, buffer, length))) {
                throw new Untrusted("what came is not what was sent");
            }
            return switch (known) {
                case DATA, ALIVE -> length;
                case END -> {
                    history = new String(buffer, 0, length, StandardCharsets.UTF_8);
                    yield -1;
                }
                case FAILED -> throw new Ended(new String(buffer, 0, length, StandardCharsets.UTF_8));
            };
        }
    }

    private static byte[] mac(Mac mac, long number, Kind kind, byte[] bytes, int length) {
        mac.update(ByteBuffer.allocate(13)
                .putLong(number)
                .put(kind.code)
                .putInt(length)
                .flip());
        mac.update(bytes, 0, length);
        return mac.doFinal();
    }

    private static byte[] proof(CopyTicket ticket, String part, byte[] receivers, byte[] donors) {
        Mac mac = keyed(HexFormat.of().parseHex(ticket.token()));
        mac.update((part + " " + ticket.copy() + "\n").getBytes(StandardCharsets.UTF_8));
        mac.update(receivers);
        mac.update(donors);
        return mac.doFinal();
    }

    private static Mac keyed(byte[] key) {
        try {
            Mac mac = Mac.getInstance(ALGORITHM);
            mac.init(new SecretKeySpec(key, ALGORITHM));
            return mac;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e); // every Java platform has it
        }
    }

    private static byte[] nonce() {
        byte[] nonce = new byte[NONCE];
        RANDOM.nextBytes(nonce);
        return nonce;
    }

    private static byte[] readFully(DataInputStream in, int length) throws IOException {
        byte[] bytes = in.readNBytes(length);
        if (bytes.length < length) {
            throw new EOFException("the connection ended");
        }
        return bytes;
    }
}
