import { BinaryWriter } from '@bufbuild/protobuf/wire';

/** What generated code has for each message. */
export interface Encoder<M> {
  encode(message: M, writer: BinaryWriter): BinaryWriter;
}

/** Of the room that a writer grew to. */
const MAX_KEPT_BYTES = 64 * 1024;

/** One is reused for every message, as encoding never yields. A new one grows by doubling, which takes longer than to write. */
let writer = new BinaryWriter();

/** The bytes of a message, which nobody else holds. */
export function encodeMessage<M>(encoder: Encoder<M>, message: M): Buffer {
  let isWhole = false;
  try {
    const { buffer, byteOffset, length } = encoder.encode(message, writer).finish();
    isWhole = length <= MAX_KEPT_BYTES;
    return Buffer.from(buffer, byteOffset, length);
  } finally {
    // One that was left in the middle of a message begins with that, one that grew keeps it.
    if (!isWhole) writer = new BinaryWriter();
  }
}
