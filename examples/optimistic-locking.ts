// Two editors read the same article. Whoever saves second must not wipe out what the first one saved.
import { Entity, Field, Id, NorimakiError, open, type Version, Versioned } from 'norimaki';
import { memory } from 'norimaki/stores/memory';
import { z } from 'zod';

@Entity('article')
class Article {
  @Id() slug!: Id<string>;
  @Field(z.string()) title!: string;
  @Field(z.array(z.string())) tags!: string[];
  @Versioned() version?: Version;
}

await using db = await open(memory());
const articles = db.repo(Article);
await articles.create({ slug: 'nori', title: 'Nori', tags: [] });

// By hand: for a form that a person has open. The version of the read says what the edit is based on.
const anna = await articles.getOrThrow('nori');
const ben = await articles.getOrThrow('nori');
await save({ ...anna, title: 'Nori, toasted' });
try {
  await save({ ...ben, title: 'Nori for beginners' });
} catch (error) {
  if (!NorimakiError.is(error, 'version.mismatch')) throw error;
  const now = await articles.getOrThrow('nori');
  console.log(`Ben is told that the title is now "${now.title}", and decides again.`);
}

// By mutate: for a change that can be repeated without asking. It reads, changes, and writes if nobody else has.
await Promise.all(
  ['seaweed', 'japan', 'snack'].map((tag) =>
    articles.mutate('nori', (article) => {
      article.tags.push(tag);
    }),
  ),
);
console.log(`All tags are there: ${(await articles.getOrThrow('nori')).tags.join(', ')}`);

/** Saves an edit, but only over the version that it is based on. */
async function save({ version, ...article }: Article): Promise<void> {
  if (version === undefined) throw new TypeError('Read the article first.');
  await articles.put(article, { ifMatch: version });
}
