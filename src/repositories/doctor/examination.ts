import { NorimakiError } from '../../core/errors.ts';
import type { IdPart } from '../../core/model/model.ts';
import type { CommitOperation } from '../../core/store.ts';
import type { VectorWrite } from '../../core/vectors/index.ts';
import type { RepositoryContext } from '../context.ts';
import type { Snapshot } from '../snapshot.ts';
import { randomOperationId } from '../write/next-record.ts';
import type { Findings } from './findings.ts';
import type { DoctorProgress, FindingKind } from './types.ts';

/** The examination of one entity. */
export interface Examination {
  readonly context: RepositoryContext;
  readonly fix: boolean;
  readonly signal: AbortSignal | undefined;
  readonly findings: Findings;
  readonly tell: (phase: DoctorProgress['phase'], done: number) => void;
}

/** What a second, strong look has confirmed. */
export interface Diagnosis {
  readonly kind: FindingKind;
  /** Absent where only a human can mend it. Conditional on what was seen: where others write, it does nothing. */
  readonly mend?: (() => Promise<unknown>) | undefined;
}

/** `'moving'`: others wrote while it was looked at. */
export type Look = () => Promise<Diagnosis | 'healthy' | 'moving'>;

export interface Suspect {
  readonly id: readonly IdPart[] | undefined;
  readonly fields: readonly string[];
  readonly look: Look;
}

const MAX_LOOKS = 5;

/**
 * Looks at a suspect again, reports what is confirmed, and mends it. What moves under every look is somebody's work in
 * progress. Mended is only what a last look finds healthy.
 */
export async function examine(examination: Examination, { id, fields, look }: Suspect): Promise<void> {
  const { context, fix, findings, signal } = examination;
  const entity = context.model.name;
  let kind: FindingKind | undefined;
  let isMoving = false;
  for (let looks = 0; looks < MAX_LOOKS; looks++) {
    const seen = await look();
    isMoving = seen === 'moving';
    if (seen === 'moving') continue;
    if (seen === 'healthy') {
      if (kind !== undefined) findings.add({ kind, entity, id, fields, fixed: true });
      return;
    }
    kind = seen.kind;
    if (!fix || seen.mend === undefined) {
      findings.add({ kind, entity, id, fields, fixed: false });
      return;
    }
    try {
      await seen.mend();
    } catch (error) {
      const reason = codeOf(error, signal);
      findings.add({
        kind: reason === 'already.exists' ? 'unique.conflict' : kind,
        entity,
        id,
        fields,
        fixed: false,
        reason,
      });
      return;
    }
  }
  if (kind !== undefined && !isMoving) findings.add({ kind, entity, id, fields, fixed: false });
}

/** What stands in the way of one record; anything else is thrown on. */
function codeOf(error: unknown, signal: AbortSignal | undefined): string {
  if (!(error instanceof NorimakiError) || NorimakiError.match(error, 'store.') || signal?.aborted) throw error;
  return error.code;
}

/** What a mend sends, with the check that the record is as it was seen. Another writer's turn is no error. */
export async function send(
  { context, signal }: Examination,
  id: readonly IdPart[],
  seen: Snapshot,
  operations: readonly CommitOperation[],
  vectors: readonly VectorWrite[] = [],
): Promise<void> {
  const { client, keys, environment } = context;
  const precondition = seen.version === undefined ? { ifAbsent: true } : { ifMatch: seen.version };
  const check: CommitOperation = { type: 'check', key: keys.record(id), ...precondition };
  const idempotencyKey = randomOperationId(environment.random);
  const outcome = await client.write([...operations, check], { idempotencyKey, vectors, signal });
  if (outcome.kind === 'notApplied') throw outcome.error;
}
