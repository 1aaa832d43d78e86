import { createHmac } from 'node:crypto';
import type { Environment } from '../../core/clock.ts';
import { NorimakiError } from '../../core/errors.ts';
import { randomId } from '../../core/random-id.ts';
import type { BlockCallOptions } from '../shared/options.ts';
import type { EventCodec } from './event-codec.ts';
import type { NewEvent } from './recorded-event.ts';
import type { SlotEvent } from './records.ts';
import type { StreamId } from './stream-id.ts';
import { closeText, type SubjectKeys } from './subject-keys.ts';
import { textOfValue } from './value-text.ts';

/** Events, checked and encoded. */
export interface Encoded {
  readonly events: readonly SlotEvent[];
  /** By event: whose its personal fields are. */
  readonly subjects: readonly (string | undefined)[];
  /** Says whether two commits hold the same: a text of all that the caller gave. */
  readonly content: string;
}

/** Checks events. `codec` is `undefined` for streams of no aggregate. Errors: `argument.invalid`, `events.unknownType`, `validation.failed`. */
export function encodeEvents(
  stream: StreamId,
  events: readonly NewEvent[],
  codec: EventCodec | undefined,
  { random }: Environment,
): Encoded {
  const encoded = events.map(({ type, data, metadata }): SlotEvent => {
    checkType(type);
    const stored = codec === undefined ? data : codec.encode(stream, type, data);
    const event = { id: randomId(random, 12), type, schema: codec?.version ?? 0, data: stored };
    return metadata === undefined ? event : { ...event, metadata };
  });
  return {
    events: encoded,
    subjects: events.map(({ type, data }) => codec?.personalOf(type)?.subjectOf(data)),
    content: textOfValue(
      encoded.map(({ type, data, metadata }) => (metadata === undefined ? [type, data] : [type, data, metadata])),
    ),
  };
}

function checkType(type: unknown): void {
  if (typeof type === 'string' && type !== '' && type.isWellFormed() && type.length <= 256) return;
  throw new NorimakiError(
    'argument.invalid',
    'The type of an event is a string of well-formed Unicode, not empty, of at most 256 characters.',
    { argument: 'type' },
  );
}

/** What stands for the content in the store: without the idempotency key it says nothing of personal fields. */
export function contentHash(idempotencyKey: string, content: string): string {
  return createHmac('sha256', idempotencyKey).update(content).digest('base64url').slice(0, 22);
}

/** Encrypts the personal fields of events. Errors: `events.subjectForgotten`, and those of a write. */
export async function closePersonal(
  store: string,
  { events, subjects }: Encoded,
  codec: EventCodec | undefined,
  keys: SubjectKeys,
  { random }: Environment,
  options: BlockCallOptions,
): Promise<readonly SlotEvent[]> {
  const wanted = new Set(subjects.filter((subject) => subject !== undefined));
  if (wanted.size === 0) return events;
  const known = await keys.make(wanted, options);
  return events.map((event, i) => {
    const subject = subjects[i];
    const plan = codec?.personalOf(event.type);
    const key = subject === undefined ? undefined : known.get(subject);
    if (subject === undefined || plan === undefined || key === undefined) return event;
    // Events with personal fields are objects: their schema is one.
    const data = { ...(event.data as Record<string, unknown>) };
    const fields: Record<string, string> = {};
    for (const [field, replacement] of plan.replacements) {
      if (data[field] === undefined) continue;
      fields[field] = closeText(key, [store, event.id, field], textOfValue(data[field]), random);
      // Whoever lacks the key reads this, whatever becomes of the definition.
      data[field] = replacement;
    }
    return { ...event, data, personal: { subject, fields } };
  });
}
