import type { $ZodType, $ZodTypes } from 'zod/v4/core';

/** A schema inside another one, and what leads to it: `.name`, `[]`, or nothing for a wrapper. */
export interface SchemaChild {
  readonly schema: $ZodType;
  readonly step: string;
}

/** The schema as the union of all kinds, told apart by `def.type`. */
export function kindOf(schema: $ZodType): $ZodTypes {
  // Every schema is one of these; zod types the base class too loosely to narrow by `def.type`. Kinds of a later zod fall to each `default`.
  return schema as $ZodTypes;
}

/** Both directions of a codec are functions; a plain pipe has neither. */
export function isCodec(schema: $ZodType): boolean {
  const { def } = kindOf(schema)._zod;
  return def.type === 'pipe' && def.reverseTransform !== undefined;
}

/** The schemas directly inside a schema; of a pipe, the stored side first. */
export function childrenOf(schema: $ZodType): readonly SchemaChild[] {
  const internals = kindOf(schema)._zod;
  const { def } = internals;
  switch (def.type) {
    case 'object': {
      const children = Object.entries(def.shape).map(([key, child]) => ({ schema: child, step: `.${key}` }));
      return def.catchall ? [...children, { schema: def.catchall, step: '.*' }] : children;
    }
    case 'array':
      return [{ schema: def.element, step: '[]' }];
    case 'tuple': {
      const children = def.items.map((item, index) => ({ schema: item as $ZodType, step: `[${index}]` })); // zod types them as the wider SomeType
      return def.rest ? [...children, { schema: def.rest as $ZodType, step: '[]' }] : children; // as above
    }
    case 'record':
    case 'map':
      return [def.keyType, def.valueType].map((child) => ({ schema: child as $ZodType, step: '.*' })); // as above
    case 'set':
      return [{ schema: def.valueType, step: '[]' }];
    case 'union':
      return def.options.map((option) => ({ schema: option as $ZodType, step: '' })); // as above
    case 'intersection':
      return [def.left, def.right].map((side) => ({ schema: side, step: '' }));
    case 'pipe':
      return [def.in, def.out].map((side) => ({ schema: side, step: '' }));
    case 'lazy':
      // `innerType` is on the internals of a lazy schema only, and caches what the getter made.
      return [{ schema: (internals as { innerType: $ZodType }).innerType, step: '' }];
    case 'optional':
    case 'nullable':
    case 'default':
    case 'prefault':
    case 'nonoptional':
    case 'readonly':
    case 'catch':
    case 'promise':
    case 'success':
      return [{ schema: def.innerType, step: '' }];
    default:
      return [];
  }
}
