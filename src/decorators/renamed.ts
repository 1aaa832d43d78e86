import type { EntityDefinition, EntitySource, ShapeOf } from '../core/model/types.ts';
import { declarationOf } from './declaration.ts';
import { defined } from './define-entity.ts';

/** The same definition each time: a database takes one entity of a name. */
const renamedSources = new WeakMap<object, Map<string, EntityDefinition>>();

/**
 * An entity like another in all but its name, so with records and vectors of its own. Of a class its entities are instances as
 * before. Errors: `argument.invalid`.
 */
export function renamed<Source extends EntitySource>(source: Source, name: string): EntityDefinition<ShapeOf<Source>> {
  const known = renamedSources.get(source) ?? new Map<string, EntityDefinition>();
  renamedSources.set(source, known);
  const definition = known.get(name) ?? defined({ ...declarationOf(source), name });
  known.set(name, definition);
  // The declaration is that of the source, and so is the shape.
  return definition as EntityDefinition as EntityDefinition<ShapeOf<Source>>;
}
