import type { BlockCallOptions } from '../shared/options.ts';
import { getGroup, holderOf } from './claims.ts';
import { rootOf } from './clusters.ts';
import type { DedupContext } from './context.ts';
import { matchOf } from './matches.ts';
import type { Link } from './records.ts';
import type { ReviewPair } from './types.ts';

/** Two texts that were compared. */
type Pair = Pick<Link, 'one' | 'other'>;
type Scored = Omit<Link, 'key'>;

/** Keys have no spaces. */
function nameOf({ one, other }: Pair): string {
  return one < other ? `${one} ${other}` : `${other} ${one}`;
}

/** The pairs of texts are ids of a set: whether they are still to be looked at is asked when they are. */
export async function offerForReview(context: DedupContext, pair: Scored, options: BlockCallOptions): Promise<void> {
  const { review, different } = context.sets;
  const name = nameOf(pair);
  if (await different.has(name, options)) return;
  await review.add(`${name} ${pair.kind} ${pair.score}`, options);
}

/** Whether somebody said that two texts are not the same. */
export function areDifferent({ sets }: DedupContext, pair: Pair, options: BlockCallOptions): Promise<boolean> {
  return sets.different.has(nameOf(pair), options);
}

/** Every pair that waits for somebody to look at it, both documents as they are now. */
export async function* reviewPairs(
  context: DedupContext,
  options: BlockCallOptions,
): AsyncGenerator<ReviewPair, void, undefined> {
  for await (const names of context.sets.review.pages({ signal: options.signal })) {
    for (const name of names) {
      const [one = '', other = '', kind, score] = name.split(' ');
      const documents = await documentsOf(context, { one, other }, options);
      if (documents === undefined) {
        await context.sets.review.remove(name, options);
        continue;
      }
      const [first, second] = documents;
      const similarity = { kind: kind === 'near' ? 'near' : 'semantic', score: Number(score) } as const;
      const { shared } = matchOf(context, first.print, { ...similarity, document: second });
      yield { one: first.id, other: second.id, ...similarity, shared };
    }
  }
}

/** Both, unless one is gone or they are in one cluster by now. */
async function documentsOf(context: DedupContext, pair: Pair, options: BlockCallOptions) {
  const read = async (key: string) => {
    const [group, root] = await Promise.all([getGroup(context, key, options), rootOf(context, key, options)]);
    const document = group && (await holderOf(context, group, options));
    return document && { document, root: root?.key };
  };
  const [one, other] = await Promise.all([read(pair.one), read(pair.other)]);
  if (one === undefined || other === undefined || one.root === other.root) return undefined;
  return [one.document, other.document] as const;
}

/** Takes a pair of different texts from the queue; it never comes back. */
export async function settleDifferent({ sets }: DedupContext, pair: Pair, options: BlockCallOptions): Promise<void> {
  const name = nameOf(pair);
  await sets.different.add(name, options);
  for await (const names of sets.review.pages({ after: name, signal: options.signal })) {
    const own = names.filter((queued) => queued.startsWith(`${name} `));
    for (const queued of own) await sets.review.remove(queued, options);
    if (own.length < names.length) return;
  }
}
