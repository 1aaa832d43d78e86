import { $ZodBigInt, $ZodBoolean, $ZodCustom, $ZodDate, $ZodNumber, $ZodString, $ZodUnion } from 'zod/v4/core';

/** What an id without a schema accepts: whatever a key can hold. */
export const anyIdPart = new $ZodUnion({
  type: 'union',
  options: [
    new $ZodString({ type: 'string' }),
    new $ZodNumber({ type: 'number', checks: [] }),
    new $ZodBigInt({ type: 'bigint' }),
    new $ZodBoolean({ type: 'boolean' }),
    new $ZodDate({ type: 'date' }),
    new $ZodCustom({ type: 'custom', check: 'custom', fn: (value) => value instanceof Uint8Array }),
  ],
});
