import { refuse } from './failures.ts';
import { isJsonObject, parseJson } from './json.ts';

interface ParsedBody {
  readonly json: unknown;
  readonly meta: unknown;
}

const BEFORE_JSON = '{"json":';
const BEFORE_META = ',"meta":';
const META_MARKER = `${BEFORE_META}{"values":`;

/** Parses what stands before the envelope. Throws a Refusal. */
export function parseBody(body: string): ParsedBody {
  if (body.startsWith(BEFORE_JSON)) {
    // As with the envelope: only where the marker is not inside the data are both halves JSON by themselves.
    const end = body.lastIndexOf(META_MARKER);
    try {
      const json: unknown = JSON.parse(body.slice(BEFORE_JSON.length, end === -1 ? undefined : end));
      return { json, meta: end === -1 ? undefined : parseMeta(body.slice(end + BEFORE_META.length)) };
    } catch {
      // Somebody else's spelling of a body, or none at all.
    }
  }
  const record = parseJson(`${body}}`);
  if (!isJsonObject(record) || !Object.hasOwn(record, 'json')) refuse([], 'is not a record');
  return { json: record.json, meta: record.meta };
}

/** The records of one model mostly have the same annotations: parsing them is a third of parsing a small record. */
const knownMetas = new Map<string, unknown>();
const MAX_KNOWN_METAS = 500;
const MAX_KNOWN_LENGTH = 500;

function parseMeta(text: string): unknown {
  const known = knownMetas.get(text);
  if (known !== undefined) return known;
  const meta: unknown = deepFreeze(JSON.parse(text));
  if (text.length <= MAX_KNOWN_LENGTH) {
    if (knownMetas.size >= MAX_KNOWN_METAS) knownMetas.clear();
    // A slice would keep the whole record in memory.
    knownMetas.set(Buffer.from(text).toString(), meta);
  }
  return meta;
}

function deepFreeze(value: unknown): unknown {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(deepFreeze);
  return value;
}
