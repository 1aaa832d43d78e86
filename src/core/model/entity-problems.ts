import { type Duration, milliseconds } from '../duration.ts';
import { NorimakiError } from '../errors.ts';
import { label } from './label.ts';
import { type EntityDeclaration, TENANT_FIELD } from './model.ts';

const MAX_NAME_BYTES = 128;
const MAX_RING = 1024;

/** The mistakes that are of the entity as a whole. */
export function entityProblems(declaration: EntityDeclaration): string[] {
  const { ids } = declaration;
  const noId =
    ids.length === 0
      ? [`${label(declaration)} has no id. Put @Id() on a field, or name it in the option id of defineEntity.`]
      : [];
  return [
    ...nameProblems(declaration),
    ...noId,
    ...upcastProblems(declaration),
    ...ttlProblems(declaration),
    ...ringProblems(declaration),
    ...instanceProblems(declaration),
    ...tenantProblems(declaration),
  ];
}

function nameProblems(declaration: EntityDeclaration): string[] {
  // A program without types may pass anything.
  const name: unknown = declaration.name;
  const entity = label(declaration) || 'The entity';
  if (typeof name !== 'string' || name === '') return [`${entity} has an empty name. Name it: @Entity('product').`];
  if (!name.isWellFormed() || /\p{Cc}/u.test(name) || name.trim() !== name) {
    return [
      `${entity} has an ill-formed name: it holds a control character, a lone surrogate, or a space at an end. Use a plain word.`,
    ];
  }
  const bytes = Buffer.byteLength(name);
  return bytes > MAX_NAME_BYTES
    ? [`${entity} has a name of ${bytes} bytes. It is part of every key: use at most ${MAX_NAME_BYTES}.`]
    : [];
}

function upcastProblems(declaration: EntityDeclaration): string[] {
  const { schema = 1, upcast = {} } = declaration;
  const entity = label(declaration);
  if (!Number.isSafeInteger(schema) || schema < 1) {
    return [`${entity} has the schema version ${schema}. Use a whole number from 1 on.`];
  }
  return Object.entries(upcast).flatMap(([step, upcast]) => {
    const from = Number(step);
    if (!Number.isInteger(from) || from < 1 || from >= schema || String(from) !== step) {
      const steps =
        schema === 1 ? 'there are no steps to schema 1' : `steps to schema ${schema} are 1 to ${schema - 1}`;
      return [`${entity} has the upcast ${step}, but ${steps}. Step n turns version n into n + 1.`];
    }
    return typeof upcast === 'function' ? [] : [`${entity} has an upcast ${step} that is no function.`];
  });
}

function ttlProblems(declaration: EntityDeclaration): string[] {
  const { ttl } = declaration;
  if (ttl === undefined) return [];
  const found: string[] = [];
  const onWrite: unknown = ttl.onWrite ?? 'keep';
  if (onWrite !== 'keep' && onWrite !== 'renew') {
    found.push(`${label(declaration)} has @Ttl with an onWrite that is neither 'keep' nor 'renew'.`);
  }
  const bad = durationProblem(ttl.duration);
  if (bad !== undefined) found.push(`${label(declaration)} has @Ttl with ${bad}.`);
  return found;
}

function durationProblem(duration: Duration): string | undefined {
  try {
    return milliseconds(duration) > 0 ? undefined : 'a duration of zero: records would be gone at once';
  } catch (error) {
    if (!NorimakiError.is(error, 'argument.invalid')) throw error;
    return "what is not a duration. Write '30m', '12h', '7d', or milliseconds as a number";
  }
}

function ringProblems(declaration: EntityDeclaration): string[] {
  const { ring = 1 } = declaration;
  if (Number.isInteger(ring) && ring >= 1 && ring <= MAX_RING) return [];
  return [`${label(declaration)} has a ring of ${ring}. Use a whole number from 1 to ${MAX_RING}.`];
}

function instanceProblems(declaration: EntityDeclaration): string[] {
  try {
    declaration.instantiate();
    return [];
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return [
      `${label(declaration)} could not be made: its constructor threw (${why}). Entities are made with new and no arguments; give fields their values in initialisers.`,
    ];
  }
}

/** The field that shows the tenant is filled on reading, and nothing else may claim it. */
function tenantProblems(declaration: EntityDeclaration): string[] {
  if (!declaration.tenantScoped) return [];
  const at = `${label(declaration)}.${TENANT_FIELD}`;
  const isOther = [...declaration.fields, ...(declaration.embeddings ?? [])].some(({ name }) => name === TENANT_FIELD);
  if (isOther) {
    return [`${at} shows whose an entity is and is not stored. Take its decorators off, or it out of the zod object.`];
  }
  return canHold(declaration, TENANT_FIELD)
    ? []
    : [`${at} cannot be set: declare it as a plain field, readonly tenant!: TenantId.`];
}

/** What cannot be made at all says so itself. */
function canHold({ instantiate }: EntityDeclaration, field: string): boolean {
  let blank: object;
  try {
    blank = instantiate();
  } catch {
    return true;
  }
  return Reflect.set(blank, field, '');
}
