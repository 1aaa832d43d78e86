/** Fifty tenants whose names are made to be taken for one another, for keys, for paths, or for JSON. */
export const NAMES: readonly string[] = [
  ...['a', 'b', 'a:b', 'a:b:c', 'a/b', 'a\\b', 'a\0b', 'a\0', '\0a', '\0', 'A', 'a ', ' a', ' ', '\n', '\t'],
  ...[
    'Å',
    'A\u030a',
    'ａ',
    'é',
    '\u202eacme',
    'مرحبا',
    'שלום',
    '日本',
    '🍣',
    '👩‍👩‍👧',
    '\u{10ffff}',
    '\uffff',
    '\u0001',
    '\x7f',
  ],
  ...['.', '..', '../b', '*', '?', '%', '%00', '_', '[a-z]', 'null', 'undefined', '0', '0n', 'true', '__proto__'],
  ...['constructor', '"', '","env":{"format":1', 'r', 'x'.repeat(128)],
];
