import { NorimakiError } from '../../core/errors.ts';
import type { EventCodec } from './event-codec.ts';
import type { RecordedEvent } from './recorded-event.ts';
import type { SlotEvent, SlotRecord } from './records.ts';
import { describeStream, type StreamId } from './stream-id.ts';
import { openText, type SubjectKeys } from './subject-keys.ts';
import { valueOfText } from './value-text.ts';

/** The events of slots whose events count, as their reader gets them. */
export async function openEvents(
  store: string,
  stream: StreamId,
  slots: readonly SlotRecord[],
  codec: EventCodec | undefined,
  subjectKeys: SubjectKeys,
  signal: AbortSignal | undefined,
): Promise<RecordedEvent[]> {
  const subjects = new Set<string>();
  for (const { events } of slots)
    for (const { personal } of events) if (personal !== undefined) subjects.add(personal.subject);
  const keys = await subjectKeys.find(subjects, signal);
  const { category, id } = stream;
  return slots.flatMap((slot) =>
    slot.events.map((event, i): RecordedEvent => {
      const stored = { type: event.type, data: openPersonal(store, stream, event, keys) };
      const { type, data } = codec === undefined ? stored : codec.decode(stream, event.schema, stored);
      const version = BigInt(slot.from + i + 1);
      const recorded = { stream: { category, id }, version, id: event.id, type, data, recordedAt: slot.at };
      return event.metadata === undefined ? recorded : { ...recorded, metadata: event.metadata };
    }),
  );
}

/** The data with its personal fields, or what stands in their place once the subject was forgotten. */
function openPersonal(
  store: string,
  stream: StreamId,
  { id, type, data, personal }: SlotEvent,
  keys: ReadonlyMap<string, Buffer>,
): unknown {
  const key = personal && keys.get(personal.subject);
  if (personal === undefined || key === undefined) return data;
  // Data with personal fields is an object: its schema is one.
  const opened = { ...(data as Record<string, unknown>) };
  for (const [field, closed] of Object.entries(personal.fields)) {
    const text = openText(key, [store, id, field], closed);
    if (text === undefined) throw notOpened(stream, type);
    opened[field] = valueOfText(text, () => `A field of an event of ${describeStream(stream)}`);
  }
  return opened;
}

function notOpened(stream: StreamId, type: string): NorimakiError<'record.corrupt'> {
  return new NorimakiError(
    'record.corrupt',
    `A personal field of an event of ${describeStream(stream)} does not open with the key of its subject: it was changed, or moved here.`,
    { entity: `${stream.category}.${type}`, issues: [] },
  );
}
