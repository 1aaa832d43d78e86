import { Command } from 'commander';
import type { EntitySource } from '../../core/model/types.ts';
import { modelOf } from '../../decorators/index.ts';
import type { DoctorProgress, DoctorReport, Finding } from '../../repositories/index.ts';
import { FINDINGS } from '../explain.ts';
import { type CommonOptions, withCommonOptions } from '../options.ts';
import { columns, count, plural, printId } from '../print.ts';
import { runSession, type Session } from '../session.ts';

interface DoctorCommandOptions extends CommonOptions {
  readonly entity?: string[];
  readonly fix?: boolean;
}

export function doctorCommand(): Command {
  const command = new Command('doctor')
    .description('Compare all records with their vectors, unique values and index entries.')
    .option('--entity <names...>', 'these entities only')
    .option('--fix', 'mend what is found; without it nothing is written');
  return withCommonOptions(command)
    .addHelpText(
      'after',
      '\nExits with 0 when all is well or mended, with 1 when something is left, with 2 on bad usage.',
    )
    .action(async (options: DoctorCommandOptions) => {
      process.exitCode = await runSession(options, {
        whenStopped: 'Stopped. What was mended stays mended; call it again to look at everything.',
        run: (session) => examine(session, options),
      });
    });
}

async function examine(session: Session, { entity, fix = false }: DoctorCommandOptions): Promise<number> {
  const { db, config, signal, progress, print } = session;
  const entities = entity?.map((name) => session.entity(name)) ?? session.entities;
  const left = entity === undefined ? config.entities.filter((source) => !entities.includes(source)) : [];
  const sizes = new Map<string, PhaseSizes>();
  for (const source of entities) {
    // Without scan there is no count, and no doctor either, which says so.
    const records = db.store.capabilities.scan ? await db.repo(source).count({ signal }) : 0;
    sizes.set(modelOf(source).name, phaseSizes(source, records));
  }
  const onProgress = (so: DoctorProgress): void => {
    const size = sizes.get(so.entity);
    if (size === undefined) return;
    const note = `${so.phase}, ${count(so.found)} found${fix ? `, ${count(so.fixed)} mended` : ''}`;
    progress.show(so.entity, doneOf(size, so), totalOf(size), note);
  };
  const report = await db.doctor({ entities: [...new Set(entities)], fix, signal, onProgress });
  progress.stop();
  print(report, [describe(report, fix), ...leftOut(left)].join('\n'));
  return report.isHealthy ? 0 : FINDINGS;
}

/** What each phase has to look at if nothing is wrong, in the order of the phases. */
type PhaseSizes = Readonly<Record<DoctorProgress['phase'], number>>;

function phaseSizes(source: EntitySource, records: number): PhaseSizes {
  const { uniques, indexes, embeddings } = modelOf(source);
  return {
    records,
    claims: records * uniques.length,
    entries: records * indexes.length,
    vectors: records * embeddings.length,
  };
}

const totalOf = (sizes: PhaseSizes): number => Object.values(sizes).reduce((sum, size) => sum + size, 0);

function doneOf(sizes: PhaseSizes, { phase, done }: DoctorProgress): number {
  const names = Object.keys(sizes) as (keyof PhaseSizes)[];
  const before = names.slice(0, names.indexOf(phase)).reduce((sum, name) => sum + sizes[name], 0);
  // Orphans make it more than there should be.
  return before + Math.min(done, sizes[phase]);
}

function describe(report: DoctorReport, fix: boolean): string {
  const { records, vectors, claims, entries } = report.checked;
  const looked = [
    plural(records, 'record'),
    plural(vectors, 'vector'),
    plural(claims, 'unique value'),
    entries === 1 ? '1 index entry' : `${count(entries)} index entries`,
  ];
  const lines = [`Looked at ${looked.join(', ')}.`];
  if (records + vectors + claims + entries === 0) lines.push('There is nothing: does the config open the right store?');
  if (report.findings.length > 0) lines.push('', columns(report.findings.map(row)), '');
  for (const [kind, found] of Object.entries(report.found)) {
    const shown = report.findings.filter((finding) => finding.kind === kind).length;
    if (found > shown) lines.push(`${kind}: ${count(found - shown)} more of ${count(found)} are not shown.`);
  }
  if (report.deadLetters > 0) {
    lines.push(`${plural(report.deadLetters, 'record')} wait for a vector that was given up: see repo.outbox.`);
  }
  return [...lines, verdict(report, fix)].join('\n');
}

function leftOut(entities: readonly EntitySource[]): string[] {
  if (entities.length === 0) return [];
  const names = entities.map((source) => modelOf(source).name).join(', ');
  return [`Not looked at, as it belongs to tenants: ${names}. Name a tenant with --tenant.`];
}

function row({ kind, entity, id, fields, fixed, reason }: Finding): string[] {
  const state = fixed ? 'mended' : reason === undefined ? '' : `not mended: ${reason}`;
  return [kind, entity, id === undefined ? '' : printId(id), fields.join(', '), state];
}

function verdict({ found, fixed }: DoctorReport, fix: boolean): string {
  const all = Object.values(found).reduce((sum, n) => sum + n, 0);
  if (all === 0) return 'Nothing is wrong.';
  if (!fix) return `${plural(all, 'finding')}. Mend what can be mended with --fix.`;
  if (fixed === all) return `${plural(all, 'finding')}, all mended.`;
  return `${plural(all, 'finding')}, ${count(fixed)} mended. The rest is for you to mend.`;
}
