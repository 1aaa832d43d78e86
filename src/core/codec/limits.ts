/** How deep the JSON of one field may nest, so that no walk over it can overflow the stack. A Map takes two levels. */
export const MAX_DEPTH = 64;
/** How many JSON values one field may hold where they are walked one by one. */
export const MAX_NODES = 100_000;
/** Parsing a decimal bigint takes quadratic time. */
export const MAX_BIGINT_DIGITS = 10_000;
/** Above the limit of every store; what is longer is refused before it is parsed. */
export const MAX_RECORD_BYTES = 16 * 1024 * 1024;
