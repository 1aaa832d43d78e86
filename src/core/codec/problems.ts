import type { $ZodType } from 'zod/v4/core';
import { childrenOf, isCodec, kindOf } from './schema-tree.ts';

/** Why a field cannot have this name, as one sentence; `undefined` if it can. */
export function fieldNameProblem(name: string): string | undefined {
  if (name === 'prototype' || name in Object.prototype) {
    return `A field cannot be named ${name}: every object has that already, or superjson refuses it.`;
  }
  return undefined;
}

/** What makes a schema unfit for a stored field, one sentence each; empty if it is fit. */
export function schemaProblems(schema: $ZodType): string[] {
  const problems = new Set<string>();
  if (kindOf(schema)._zod.def.type === 'never') {
    problems.add('z.never() takes no value at all, so the field could never be written.');
  }
  collect(schema, '', true, problems, new Map());
  return [...problems];
}

function collect(
  schema: $ZodType,
  place: string,
  stored: boolean,
  problems: Set<string>,
  visited: Map<$ZodType, boolean>,
): void {
  // Seen as part of what is stored, it was checked more strictly than it would be now.
  const before = visited.get(schema);
  if (before === true || before === stored) return;
  visited.set(schema, stored);
  const reason = oneWay(schema) ?? (stored ? unstorable(schema) : undefined) ?? badKey(schema);
  if (reason !== undefined) problems.add(`${place === '' ? '' : `At ${place.replace(/^\./, '')}: `}${reason}`);
  const children = childrenOf(schema);
  for (const [index, child] of children.entries()) {
    const isEntitySide = isCodec(schema) && index === 1;
    collect(child.schema, place + child.step, stored && !isEntitySide, problems, visited);
  }
}

/** What zod cannot undo, on whichever side of a codec it stands. */
function oneWay(schema: $ZodType): string | undefined {
  switch (kindOf(schema)._zod.def.type) {
    case 'transform':
      return '.transform() and z.preprocess() go one way only and cannot be written back; use z.codec().';
    case 'catch':
      return '.catch() would put its own value in place of a stored one that no longer parses, and the next write would make that final; remove it.';
    case 'success':
      return 'z.success() keeps only whether a value parsed, which cannot be written back; remove it.';
    case 'promise':
      return 'z.promise() cannot be stored; await the value and declare what it resolves to.';
    default:
      return undefined;
  }
}

function unstorable(schema: $ZodType): string | undefined {
  switch (kindOf(schema)._zod.def.type) {
    case 'function':
      return 'z.function() cannot be stored; make it a method of the class.';
    case 'symbol':
      return 'z.symbol() cannot be stored; use z.enum() or z.literal().';
    case 'file':
      return 'z.file() cannot be stored; keep its bytes as z.instanceof(Uint8Array), or a reference to it.';
    default:
      return undefined;
  }
}

function badKey(schema: $ZodType): string | undefined {
  const { def } = kindOf(schema)._zod;
  if (def.type !== 'object') return undefined;
  if (Object.getOwnPropertySymbols(def.shape).length > 0)
    return 'A key that is a symbol cannot be stored; name it with a string.';
  if (Object.hasOwn(def.shape, '__proto__')) return 'zod leaves out a key named __proto__; name it otherwise.';
  return undefined;
}
