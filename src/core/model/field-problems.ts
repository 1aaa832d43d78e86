import { fieldNameProblem, schemaProblems } from '../codec/index.ts';
import { hasDefault } from './defaults.ts';
import { label } from './label.ts';
import type { EntityDeclaration, FieldDeclaration } from './model.ts';
import { canBeAbsent, KEYABLE, listed, presentKinds, unkeyable, valueKinds } from './value-kinds.ts';

/** The mistakes in the fields, one by one and among each other. */
export function fieldProblems(declaration: EntityDeclaration): string[] {
  const { fields, ids, embeddings = [] } = declaration;
  const isId = (name: string) => ids.some((id) => id.name === name);
  // That it is stored at all is the mistake.
  const isVector = (name: string) => embeddings.some((embedding) => embedding.isField && embedding.name === name);
  return [
    ...fields.flatMap((field) => {
      const at = `${label(declaration)}.${field.name}`;
      return [
        ...nameProblems(at, field),
        ...(field.versioned
          ? versionedProblems(at, field)
          : storedProblems(at, field, isId(field.name) || isVector(field.name))),
        ...(field.deadline && !field.versioned ? deadlineProblems(at, field) : []),
        ...(isId(field.name) ? idProblems(at, field) : []),
      ];
    }),
    ...severalOf(declaration, 'versioned', '@Versioned()'),
    ...severalOf(declaration, 'deadline', '@Ttl()'),
    ...unknownIds(declaration),
  ];
}

function nameProblems(at: string, { name }: FieldDeclaration): string[] {
  const problem = fieldNameProblem(name);
  return problem === undefined ? [] : [`${at}: ${problem}`];
}

function versionedProblems(at: string, { schema, deadline }: FieldDeclaration): string[] {
  const found: string[] = [];
  if (schema !== undefined)
    found.push(`${at} has @Versioned() and a schema. The version is not stored: remove the schema.`);
  if (deadline) found.push(`${at} has @Versioned() and @Ttl(). Keep one.`);
  return found;
}

function storedProblems(at: string, { schema }: FieldDeclaration, canLackSchema: boolean): string[] {
  if (schema === undefined) return canLackSchema ? [] : [`${at} has no schema. Put @Field(schema) on it.`];
  if (!isSchema(schema)) return [`${at} has a schema that is not from zod 4. Pass one, such as z.string().`];
  return schemaProblems(schema).map((problem) => `${at} cannot be stored. ${problem}`);
}

/** A program without types may pass anything. */
function isSchema(schema: unknown): boolean {
  return typeof schema === 'object' && schema !== null && '_zod' in schema;
}

function deadlineProblems(at: string, { schema }: FieldDeclaration): string[] {
  if (schema === undefined || !isSchema(schema)) return [];
  const kinds = presentKinds(valueKinds(schema));
  if (kinds.length === 1 && kinds[0] === 'date') return [];
  const cure = kinds.includes('number')
    ? 'A number is no instant: it could be seconds or milliseconds. Use z.date(), or a codec to a date.'
    : 'Use z.date(), or a codec to a date.';
  return [`${at} has @Ttl() but holds ${listed(kinds)}. ${cure}`];
}

function idProblems(at: string, { schema, versioned, deadline }: FieldDeclaration): string[] {
  const found: string[] = [];
  if (versioned)
    found.push(`${at} has @Id() and @Versioned(). The version changes with each write, an id never: keep one.`);
  if (deadline) found.push(`${at} has @Id() and @Ttl(). A deadline can change, an id never: keep one.`);
  if (schema === undefined || !isSchema(schema)) return found;
  const kinds = valueKinds(schema);
  const bad = unkeyable(kinds);
  if (canBeAbsent(kinds)) {
    found.push(
      `${at} is an id that can be missing. Make its schema neither optional nor nullable; @Id(…, { generate }) fills it in.`,
    );
  } else if (hasDefault(schema)) {
    found.push(
      `${at} is an id with a default in its schema. Take @Id(…, { generate }), so that each entity gets its own.`,
    );
  }
  // Why a schema cannot be stored says it already.
  if (bad.length > 0 && schemaProblems(schema).length === 0)
    found.push(`${at} is an id but holds ${listed(bad)}. ${KEYABLE}`);
  return found;
}

function severalOf(declaration: EntityDeclaration, mark: 'versioned' | 'deadline', decorator: string): string[] {
  const marked = declaration.fields.filter((field) => field[mark]).map((field) => field.name);
  return marked.length > 1
    ? [`${label(declaration)} has ${decorator} on several fields (${marked.join(', ')}). Keep one.`]
    : [];
}

function unknownIds(declaration: EntityDeclaration): string[] {
  const { fields, ids } = declaration;
  return ids.flatMap(({ name }, index) => {
    if (!fields.some((field) => field.name === name)) {
      return [`${label(declaration)} has no field ${name}, which its id names. Name one of its fields.`];
    }
    return ids.findIndex((id) => id.name === name) === index
      ? []
      : [`${label(declaration)} names ${name} twice in its id. Name it once.`];
  });
}
