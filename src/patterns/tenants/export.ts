import { openRecord } from '../../core/codec/index.ts';
import { NorimakiError } from '../../core/errors.ts';
import type { Sealer } from '../../repositories/internal.ts';
import type { PartEntry, TenantPart } from '../../repositories/tenancy/part.ts';
import { type DerivedLine, type Line, type RecordLine, text64 } from './lines.ts';
import type { TenantState } from './records.ts';

export interface ExportOptions {
  readonly signal?: AbortSignal | undefined;
  /** Told after each page. */
  readonly onProgress?: ((progress: { readonly lines: number }) => void) | undefined;
}

/** All that a tenant has, as lines of JSON without their ends. Of one instant only if nobody writes meanwhile. */
export async function* exportLines(
  { id, plan, generation }: TenantState,
  part: TenantPart,
  sealer: Sealer | undefined,
  { signal, onProgress }: ExportOptions,
): AsyncGenerator<string, void, undefined> {
  const written = (line: Line): string => JSON.stringify(line);
  yield written({ norimaki: 'tenant', format: 1, tenant: id, plan });
  let lines = 1;
  for await (const page of part.pages({ from: generation, to: generation + 1 }, signal)) {
    for (const entry of page) {
      yield written(entry.kind === 'r' ? recordLine(entry, part, sealer) : derivedLine(entry, part));
      lines++;
      for (const space of part.spacesOf(entry)) {
        const { embedding, spec } = space;
        for await (const found of part.vectors(space, signal)) {
          const vectors = found.map(([vector, values]) => [vector, text64(asBytes(values))] as [string, string]);
          yield written({ entity: entry.entity, embedding, spec, vectors });
          lines++;
        }
      }
    }
    onProgress?.({ lines });
  }
  yield written({ end: true, lines });
}

/** Errors: `record.corrupt`: what cannot be read is not left out in silence. */
function recordLine(entry: PartEntry, part: TenantPart, sealer: Sealer | undefined): RecordLine {
  const { entity, key, value } = entry;
  const plain = sealer === undefined ? value : sealer.open(key, value);
  if (plain === undefined) {
    const message = `A record of ${entity} does not open with the keys of its tenant.`;
    throw new NorimakiError('record.corrupt', message, { entity, issues: [] });
  }
  const { envelope, json, meta } = openRecord(plain, () => `A record of ${entity}`, entity);
  const { tenant: _, generation: __, fence, ...rest } = envelope;
  return {
    entity,
    key: text64(suffixOf(entry, part)),
    record: meta === undefined ? { json } : { json, meta },
    envelope: fence === undefined ? rest : { ...rest, fence: String(fence) },
  };
}

function derivedLine(entry: PartEntry, part: TenantPart): DerivedLine {
  const { entity, kind, value } = entry;
  // The caller has seen that it is no record.
  return { entity, kind: kind as DerivedLine['kind'], key: text64(suffixOf(entry, part)), value: text64(value) };
}

function suffixOf({ key, generation, entity, kind }: PartEntry, part: TenantPart): Uint8Array {
  return key.subarray(part.prefixOf(generation, entity, kind).length);
}

function asBytes({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
