import { z } from 'zod';
import { type Database, defineEntity } from '../../../src/index.ts';
import { Deduplicator } from '../../../src/patterns/index.ts';

export const Letter = defineEntity('letter', z.object({ id: z.string(), text: z.string() }), { id: 'id' });

/** Where letters come in; without a decorator, as a child process is bundled as it stands. */
export function startDesk(db: Database): Deduplicator<typeof Letter> {
  return new Deduplicator(db, Letter, { name: 'desk', text: ['text'], near: { jaccard: 0.6, bands: 12, rows: 1 } });
}

export const TOPICS = 6;

/** A text of a topic; both variants of it are similar, topics are not. */
export function letterText(topic: number, variant: number): string {
  return Array.from({ length: 30 }, (_, i) => `t${topic}w${i + variant}`).join(' ');
}
