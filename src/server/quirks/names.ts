/** What the shipped NoriKV server does and its protocol does not say, by name. docs/server.md has a sentence for each. */
export const QUIRKS = [
  'racing-cas',
  'lost-proposal',
  'delete-ignores-if-match',
  'put-version',
  'ttl-in-memory',
  'shared-idempotency',
  'no-vectors',
  'unconfirmed-insert',
  'vectors-in-memory',
  'search-100',
  'not-leader-first',
  'not-leader-applied',
  'view-each-second',
  'bind-address',
  'no-extension',
] as const;

export type Quirk = (typeof QUIRKS)[number];

/**
 * What `mode: 'faithful'` is made of. Not `'lost-proposal'`, which loses writes that were acknowledged: no client can
 * survive it, so it is there for whoever asks by name.
 */
export const FAITHFUL: readonly Quirk[] = QUIRKS.filter((quirk) => quirk !== 'lost-proposal');
