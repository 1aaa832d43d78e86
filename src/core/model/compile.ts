import { compileCodec } from '../codec/index.ts';
import { milliseconds } from '../duration.ts';
import { NorimakiError } from '../errors.ts';
import { classDefaults, schemaDefaults } from './defaults.ts';
import { compileEmbeddings } from './embeddings.ts';
import { anyIdPart } from './id-schema.ts';
import { title } from './label.ts';
import type { EntityDeclaration, EntityModel } from './model.ts';
import { modelProblems } from './problems.ts';

const DEFAULT_RING = 32;

/**
 * Checks a declaration and makes the model that repositories work from.
 * Errors: `model.invalid`, with every mistake at once.
 */
export function compileModel(declaration: EntityDeclaration): EntityModel {
  const problems = modelProblems(declaration);
  if (problems.length > 0) throw invalid(declaration, problems);
  const { name, instantiate, ids, schema = 1, upcast, ttl } = declaration;
  const idNames = new Set(ids.map((id) => id.name));
  const stored = declaration.fields
    .filter((field) => !field.versioned)
    .map((field) => ({ name: field.name, schema: field.schema ?? anyIdPart }));
  const ofSchema = schemaDefaults(stored);
  // A record without its id is corrupt, whatever the class puts there.
  const ofClass = classDefaults(
    stored.filter((field) => !idNames.has(field.name)),
    instantiate,
  );
  return {
    name,
    schema,
    instantiate,
    ids: ids.map((id) => ({ name: id.name, generate: id.generate })),
    fields: stored.map((field) => field.name),
    schemaDefaults: ofSchema,
    versionField: declaration.fields.find((field) => field.versioned)?.name,
    deadlineField: declaration.fields.find((field) => field.deadline)?.name,
    ttl: ttl && { ms: milliseconds(ttl.duration) },
    onWrite: ttl?.onWrite ?? 'keep',
    uniques: declaration.uniques,
    indexes: declaration.indexes,
    embeddings: compileEmbeddings(declaration),
    ring: declaration.ring ?? DEFAULT_RING,
    tenantScoped: declaration.tenantScoped ?? false,
    codec: compileCodec({ entity: name, schema, upcast, fields: stored, defaults: new Map([...ofSchema, ...ofClass]) }),
  };
}

function invalid(declaration: EntityDeclaration, problems: readonly string[]): NorimakiError<'model.invalid'> {
  const count = problems.length === 1 ? '1 mistake' : `${problems.length} mistakes`;
  const list = problems.map((problem) => `  - ${problem}`).join('\n');
  return new NorimakiError('model.invalid', `The entity ${title(declaration)} has ${count}:\n${list}`, {
    entity: declaration.name,
    problems,
  });
}
