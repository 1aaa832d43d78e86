import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { encodeMessage, norimaki, StoreService } from '../../wire/index.ts';

/** One call takes some hundred bytes of memory and may take four on the wire. */
const MAX_CALLS = 4096;
/** The field of `Calls` and of `Replies` that is repeated. */
const FIELD = 1;

/**
 * Both ways of a `Stream` as this server reads and writes it: the same bytes as its definition's, but replies are encoded one
 * by one, so that their bytes are known before a message is full.
 */
export const STREAM_METHOD = {
  ...StoreService.stream,
  requestDeserialize: decodeCalls,
  responseSerialize: joinReplies,
};

export function encodeReply(reply: norimaki.Reply): Uint8Array {
  return encodeMessage(norimaki.Reply, reply);
}

/** Refuses a message of too many calls before memory is spent on them. */
function decodeCalls(bytes: Buffer): norimaki.Calls {
  const reader = new BinaryReader(bytes);
  for (let calls = 0; reader.pos < reader.len; calls++) {
    const [field, type] = reader.tag();
    if (calls === MAX_CALLS) throw new Error(`A message holds at most ${MAX_CALLS} calls.`);
    reader.skip(type, field);
  }
  return norimaki.Calls.decode(bytes);
}

function joinReplies(replies: readonly Uint8Array[]): Buffer {
  const writer = new BinaryWriter();
  for (const reply of replies) writer.tag(FIELD, WireType.LengthDelimited).bytes(reply);
  const { buffer, byteOffset, length } = writer.finish();
  return Buffer.from(buffer, byteOffset, length);
}
