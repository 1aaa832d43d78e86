import { z } from 'zod';
import type { VectorStore } from '../../src/core/store.ts';
import { type Database, type Default, defineEntity, Embedding, Entity, Field, Id } from '../../src/index.ts';
import { Deduplicator } from '../../src/patterns/index.ts';

@Entity('doc')
class Doc {
  @Id() id!: Id<string>;
  @Field(z.string()) title!: string;
  @Field(z.string().optional()) body?: string;
  @Field(z.number()) pages: Default<number> = 1;
  @Embedding({ from: 'title' }) meaning?: Float32Array;
}

declare const db: Database<VectorStore>;
const dedup = new Deduplicator(db, Doc, { name: 'docs', text: ['title', 'body'], near: { jaccard: 0.7 } });
new Deduplicator(db, Doc, { name: 'docs', text: ['title'], semantic: { embedding: 'meaning', threshold: 0.9 } });
// @ts-expect-error no such field.
new Deduplicator(db, Doc, { name: 'docs', text: ['titel'] });
// @ts-expect-error a number is no text.
new Deduplicator(db, Doc, { name: 'docs', text: ['pages'] });
// @ts-expect-error a name is missing.
new Deduplicator(db, Doc, { text: ['title'] });

const verdict = await dedup.submit({ id: 'a', title: 'Tea' }, { onDuplicate: 'link', idempotencyKey: 'k' });
verdict.stored satisfies boolean;
// @ts-expect-error what is unique is a copy of nothing.
verdict.of;
if (verdict.kind === 'near') {
  verdict.of satisfies string;
  verdict.shared satisfies readonly string[];
} else if (verdict.kind === 'unique') {
  verdict.nearest?.score satisfies number | undefined;
}
// @ts-expect-error a field is missing.
dedup.submit({ id: 'a' });
// @ts-expect-error an unknown field.
dedup.submit({ id: 'a', title: 'Tea', colour: 'red' });
// @ts-expect-error no such way.
dedup.submit({ id: 'a', title: 'Tea' }, { onDuplicate: 'drop' });
dedup.check('Tea');
dedup.check({ title: 'Tea', body: null });
// @ts-expect-error it is not compared.
dedup.check({ pages: 3 });

const Page = defineEntity('page', z.object({ url: z.string(), text: z.string() }), { id: 'url' });
const pages = new Deduplicator(db, Page, { name: 'pages', text: ['text'] });
pages.submit({ url: '/', text: 'Tea' });
// @ts-expect-error it has no embedding.
new Deduplicator(db, Page, { name: 'pages', text: ['text'], semantic: { embedding: 'text', threshold: 0.9 } });
