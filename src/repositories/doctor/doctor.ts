import { NorimakiError } from '../../core/errors.ts';
import type { RepositoryContext } from '../context.ts';
import { decodeOutboxEntry } from '../vectors/outbox-entry.ts';
import type { Examination } from './examination.ts';
import { Findings } from './findings.ts';
import { examineClaims, examineEntries, examineVectors } from './orphans.ts';
import { examineRecords } from './records.ts';
import type { DoctorOptions, DoctorReport } from './types.ts';
import { pagesOf } from './walk.ts';

/**
 * Compares every record with what is derived from it, and the other way round. Reports only what a second, strong look
 * confirms, so that what others are writing is never taken for damage; every mend is conditional on what was seen.
 */
export async function doctor(
  contexts: readonly RepositoryContext[],
  { fix = false, signal, onProgress }: DoctorOptions,
): Promise<DoctorReport> {
  const findings = new Findings();
  for (const context of contexts) {
    checkStore(context);
    const entity = context.model.name;
    const tell: Examination['tell'] = (phase, done) => {
      const { found, fixed } = findings;
      onProgress?.({ entity, phase, done, found, fixed });
    };
    const examination: Examination = { context, fix, signal, findings, tell };
    // A record first brings in what it lacks; then what no record holds is left over.
    await examineRecords(examination);
    await examineClaims(examination);
    await examineEntries(examination);
    await examineVectors(examination);
    await countDeadLetters(examination);
  }
  return findings.report();
}

function checkStore({ client }: RepositoryContext): void {
  const { scan, commit } = client.store.capabilities;
  if (scan && commit) return;
  throw new NorimakiError(
    'capability.missing',
    'doctor() needs a store with scan and commit, to look at everything and to tell damage from work in progress; the memory and the embedded store have them.',
    { capability: 'scan and commit', neededBy: 'doctor' },
  );
}

async function countDeadLetters(examination: Examination): Promise<void> {
  const { model, keys } = examination.context;
  if (!model.embeddings.some(({ mode }) => mode === 'deferred')) return;
  for await (const entries of pagesOf(examination, keys.wholeOutbox())) {
    const dead = entries.filter(({ value }) => decodeOutboxEntry(value).failure?.isDead);
    examination.findings.deadLetters += dead.length;
  }
}
