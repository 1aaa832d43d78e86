import type { Socket } from 'node:net';

// RFC 9113, 3.4: a client begins with bytes that are always the same, and with a frame of its settings.
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const HEAD_BYTES = PREFACE.length + 9;
const TYPE_AT = PREFACE.length + 3;
const SETTINGS = 4;
const MAX_FRAME_BYTES = 16_384;

/**
 * Calls `onGreeting` once all bytes are there with which a client of HTTP/2 begins, or so many that they are none: what they
 * are is for HTTP/2 to say, so they are left in the socket. One that ends before is cut.
 */
export function awaitGreeting(socket: Socket, onGreeting: () => void): void {
  let wanted = PREFACE.length;
  // A socket that was not told otherwise gives bytes: nothing until so many are there, or what there is at its end.
  const read = (): Buffer | null => socket.read(wanted);
  const look = (): void => {
    for (let bytes = read(); bytes !== null; bytes = read()) {
      if (bytes.length < wanted) {
        socket.destroy();
        return;
      }
      socket.unshift(bytes);
      const more = neededOf(bytes);
      if (more <= wanted) {
        socket.off('readable', look);
        onGreeting();
        return;
      }
      wanted = more;
    }
  };
  socket.on('readable', look);
}

/** How many bytes a greeting has that begins so; no more than these where it is none. */
function neededOf(bytes: Buffer): number {
  if (!bytes.subarray(0, PREFACE.length).equals(PREFACE)) return bytes.length;
  if (bytes.length < HEAD_BYTES) return HEAD_BYTES;
  if (bytes[TYPE_AT] !== SETTINGS) return HEAD_BYTES;
  return HEAD_BYTES + Math.min(bytes.readUIntBE(PREFACE.length, 3), MAX_FRAME_BYTES);
}
