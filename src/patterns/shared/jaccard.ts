/** How much two sets have in common: what is in both, of what is in either. 0 if both are empty. */
export function jaccard(one: ReadonlySet<string>, other: ReadonlySet<string>): number {
  const [few, many] = one.size <= other.size ? [one, other] : [other, one];
  let both = 0;
  for (const item of few) if (many.has(item)) both++;
  const either = one.size + other.size - both;
  return either === 0 ? 0 : both / either;
}
