package io.catchment.chaos.fuzz;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Function;

/**
 * One thing done to one port. All of it follows from the seed (names and ids in the frames aside): the same attack again is the same bytes. Used once,
 * by one thread.
 */
final class Attack {
    private static final int CONNECT_MS = 2_000;
    private static final int ANSWER_MS = 30;
    private static final int BURST_MAX = 200;
    private static final long LOITER_MS = 4_000;

    enum Manner {
        /** Frames one after the other, with a look at the answers. */
        TALK,
        /** Many frames at once, answers are never read. */
        FLOOD,
        /** Half of a frame, then silence. */
        HALF,
        /** A byte at a time. */
        SLOW,
        /** Many connections that say nothing, or a byte. */
        CROWD,
        /** As talk, but the connection is torn down in the middle. */
        RESET
    }

    private final Port port;
    private final SplittableRandom random;
    private final Function<SplittableRandom, byte[]> frames;
    private final byte[] greeting;
    private final BooleanSupplier stop;
    private long sent;

    /**
     * @param frames makes the next
     * @param greeting sent first, now and then; may be empty
     */
    Attack(Port port, long seed, Function<SplittableRandom, byte[]> frames, byte[] greeting, BooleanSupplier stop) {
        this.port = port;
        this.random = new SplittableRandom(seed);
        this.frames = frames;
        this.greeting = greeting.clone();
        this.stop = stop;
    }

    /** How many frames it sent. */
    long run() {
        Manner manner = manner(random.nextInt(100));
        try {
            if (manner == Manner.CROWD) {
                crowd();
            } else {
                alone(manner);
            }
        } catch (IOException refused) {
            // Whoever gets such things may close the connection, at any time
        }
        return sent;
    }

    private static Manner manner(int die) {
        if (die < 60) {
            return Manner.TALK;
        } else if (die < 78) {
            return Manner.FLOOD;
        } else if (die < 84) {
            return Manner.HALF;
        } else if (die < 88) {
            return Manner.SLOW;
        }
        return die < 91 ? Manner.CROWD : Manner.RESET;
    }

    private Socket connect() throws IOException {
        Socket socket = new Socket();
        try {
            socket.setTcpNoDelay(true);
            socket.setSoTimeout(ANSWER_MS);
            socket.connect(port.address(), CONNECT_MS);
            return socket;
        } catch (IOException e) {
            socket.close();
            throw e;
        }
    }

    private void alone(Manner manner) throws IOException {
        try (Socket socket = connect()) {
            OutputStream out = socket.getOutputStream();
            if (greeting.length > 0 && random.nextInt(4) > 0) {
                out.write(greeting);
            }
            switch (manner) {
                case TALK, RESET -> talk(socket, out, manner == Manner.RESET);
                case FLOOD -> flood(out);
                case HALF -> half(out);
                default -> slow(out);
            }
        }
    }

    private void talk(Socket socket, OutputStream out, boolean reset) throws IOException {
        int count = 1 + random.nextInt(20);
        byte[] answers = new byte[1 << 16];
        for (int i = 0; i < count && !stop.getAsBoolean(); i++) {
            out.write(frames.apply(random));
            sent++;
            if (random.nextBoolean() && !heard(socket.getInputStream(), answers)) {
                return;
            }
        }
        if (reset) {
            // No goodbye: what is unread, or under way, is torn
            socket.setSoLinger(true, 0);
        }
    }

    /** Whether the connection lives. */
    private static boolean heard(InputStream in, byte[] answers) throws IOException {
        try {
            return in.read(answers) >= 0;
        } catch (SocketTimeoutException nothing) {
            return true;
        }
    }

    private void flood(OutputStream out) throws IOException {
        int count = 20 + random.nextInt(200);
        for (int i = 0; i < count && !stop.getAsBoolean(); i++) {
            out.write(frames.apply(random));
            sent++;
        }
        loiter(random.nextInt(1_000));
    }

    private void half(OutputStream out) throws IOException {
        byte[] frame = frames.apply(random);
        out.write(frame, 0, Math.max(1, random.nextInt(frame.length + 1)));
        sent++;
        loiter(random.nextLong(LOITER_MS));
    }

    private void slow(OutputStream out) throws IOException {
        byte[] frame = frames.apply(random);
        sent++;
        int bytes = Math.min(frame.length, 40);
        for (int i = 0; i < bytes && !stop.getAsBoolean(); i++) {
            out.write(frame[i]);
            loiter(100);
        }
    }

    private void crowd() throws IOException {
        List<Socket> sockets = new ArrayList<>();
        try {
            int count = random.nextInt(BURST_MAX);
            boolean aByte = random.nextBoolean();
            for (int i = 0; i < count && !stop.getAsBoolean(); i++) {
                Socket socket = connect();
                sockets.add(socket);
                if (aByte) {
                    socket.getOutputStream().write(random.nextInt(256));
                }
            }
            loiter(random.nextInt(2_000));
        } finally {
            for (Socket socket : sockets) {
                socket.close();
            }
        }
    }

    private void loiter(long ms) {
        long end = System.nanoTime() + ms * 1_000_000;
        while (System.nanoTime() < end && !stop.getAsBoolean()) {
            LockSupport.parkNanos(20_000_000);
        }
    }
}
