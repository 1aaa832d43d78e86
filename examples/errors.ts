// One error class with a typed code: narrow by code or by prefix, read typed details, retry what is retryable.
import { Entity, Field, Id, NorimakiError, open } from 'norimaki';
import { memory } from 'norimaki/stores/memory';
import { z } from 'zod';

@Entity('wallet')
class Wallet {
  @Id() owner!: Id<string>;
  @Field(z.int().nonnegative('cannot be overdrawn')) cents!: number;
}

class NotEnough extends Error {}

await using db = await open(memory());
const wallets = db.repo(Wallet);
await wallets.create({ owner: 'mia', cents: 500 });

/** What a handler of requests would answer. */
function explain(error: unknown): string {
  if (NorimakiError.is(error, 'validation.failed')) {
    return error.details.issues.map(({ path, message }) => `${path.join('.')} ${message}`).join('; ');
  }
  if (NorimakiError.is(error, 'not.found')) return `there is no such ${error.details.entity}`;
  if (NorimakiError.match(error, 'store.')) return 'the database has a problem'; // every store.* code
  if (error instanceof NorimakiError) return `${error.code}${error.retryable ? ', try again' : ''}: ${error.message}`;
  throw error;
}

const attempts: [what: string, call: () => Promise<unknown>][] = [
  ['create twice', () => wallets.create({ owner: 'mia', cents: 0 })],
  ['read a missing one', () => wallets.getOrThrow('tom')],
  ['overdraw', () => wallets.mutate('mia', (wallet) => ({ ...wallet, cents: wallet.cents - 900 }))],
];
for (const [what, call] of attempts) {
  await call().catch((error: unknown) => console.log(`${what}: ${explain(error)}`));
}

// What your own function throws comes out as it is, and nothing is written.
try {
  await wallets.mutate('mia', (wallet) => {
    if (wallet.cents < 900) throw new NotEnough();
    wallet.cents -= 900;
  });
} catch (error) {
  console.log(
    `${error instanceof NotEnough ? 'not enough' : 'surprise'}: still ${(await wallets.getOrThrow('mia')).cents}`,
  );
}
