import { refuse } from './failures.ts';
import { isJsonObject, parseJson } from './json.ts';
import type { PlainReader } from './plain-fields.ts';

interface ParsedBody {
  readonly json: unknown;
  readonly meta: unknown;
}

const BEFORE_JSON = '{"json":';
const BEFORE_META = ',"meta":';
const META_MARKER = `${BEFORE_META}{"values":`;

/** Parses what stands before the envelope. Throws a Refusal. */
export function parseBody(body: string, readPlain?: PlainReader): ParsedBody {
  if (body.startsWith(BEFORE_JSON)) {
    // As with the envelope: only where the marker is not inside the data are both halves JSON by themselves.
    try {
      const { end, meta } = findMeta(body);
      const json = body.slice(BEFORE_JSON.length, end);
      return { json: readPlain?.(json) ?? JSON.parse(json), meta };
    } catch {
      // Somebody else's spelling of a body, or none at all.
    }
  }
  const record = parseJson(`${body}}`);
  if (!isJsonObject(record) || !Object.hasOwn(record, 'json')) refuse([], 'it is not a record');
  return { json: record.json, meta: record.meta };
}

interface Meta {
  /** With what stands before it in a body. */
  readonly text: string;
  readonly meta: unknown;
}

/** The records of one model mostly have the same annotations: parsing them is a third of parsing a small record. */
const known = new Map<string, Meta>();
const MAX_KNOWN = 500;
const MAX_KNOWN_LENGTH = 500;

/** The one of the last record. */
let usual: Meta | undefined;

function findMeta(body: string): { end: number; meta: unknown } {
  if (usual !== undefined && body.endsWith(usual.text)) {
    return { end: body.length - usual.text.length, meta: usual.meta };
  }
  const end = body.lastIndexOf(META_MARKER);
  if (end === -1) return { end: body.length, meta: undefined };
  const text = body.slice(end);
  usual = known.get(text) ?? learn(text);
  return { end, meta: usual.meta };
}

function learn(slice: string): Meta {
  // The slice itself would keep the whole record in memory.
  const text = Buffer.from(slice).toString();
  const learnt = { text, meta: deepFreeze(JSON.parse(text.slice(BEFORE_META.length))) };
  if (text.length > MAX_KNOWN_LENGTH) return learnt;
  if (known.size >= MAX_KNOWN) known.clear();
  known.set(text, learnt);
  return learnt;
}

function deepFreeze(value: unknown): unknown {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(deepFreeze);
  return value;
}
