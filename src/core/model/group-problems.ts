import { label } from './label.ts';
import type { EntityDeclaration, FieldDeclaration, FieldGroup } from './model.ts';
import { KEYABLE, listed, unkeyable, valueKinds } from './value-kinds.ts';

/** The mistakes in unique constraints and indexes. */
export function groupProblems(declaration: EntityDeclaration): string[] {
  return [
    ...problemsOf(declaration, declaration.uniques, '@Unique'),
    ...problemsOf(declaration, declaration.indexes, '@Index'),
  ];
}

function problemsOf(declaration: EntityDeclaration, groups: readonly FieldGroup[], decorator: string): string[] {
  const entity = label(declaration);
  return groups.flatMap((group, index) => {
    const where = `${entity} has ${decorator}(${JSON.stringify(group.name)})`;
    if (group.name === '' || !group.name.isWellFormed()) return [`${where}, an ill-formed name. Use a plain word.`];
    if (group.fields.length === 0) return [`${where} on no field. Name its fields.`];
    if (new Set(group.fields).size < group.fields.length) return [`${where} on a field twice. Name each once.`];
    if (groups.findIndex((other) => other.name === group.name) !== index) return [`${where} twice. Keep one.`];
    return group.fields.flatMap((name) => {
      const field = declaration.fields.find((field) => field.name === name);
      return field === undefined
        ? [
            `${entity} has no field ${name}, which ${decorator}(${JSON.stringify(group.name)}) names. Name one of its fields.`,
          ]
        : memberProblems(`${entity}.${name}`, field, decorator);
    });
  });
}

function memberProblems(at: string, { schema, versioned }: FieldDeclaration, decorator: string): string[] {
  if (versioned) return [`${at} has ${decorator} but holds the version, which is not stored. Remove ${decorator}.`];
  if (schema === undefined) return [];
  const bad = unkeyable(valueKinds(schema));
  return bad.length === 0 ? [] : [`${at} has ${decorator} but holds ${listed(bad)}. ${KEYABLE}`];
}
