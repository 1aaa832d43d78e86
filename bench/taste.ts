import { pickInt, seededRandom } from '../src/core/seeded-random.ts';
import type { UserEvent } from '../src/patterns/index.ts';

export const TASTE_SIGNALS = { view: 1, cart: 4, buy: 8, dislike: -6 } as const;
type TasteEvent = UserEvent<string, keyof typeof TASTE_SIGNALS>;

export interface Tastes {
  readonly items: readonly { readonly id: string; readonly look: Float32Array }[];
  readonly events: readonly TasteEvent[];
}

const DIMENSIONS = 32;
const DAY = 86_400_000;

/**
 * Items of so many kinds, and users who like two or three of them, come back to one at a time, buy what is near to a place of their
 * own in it, and now and then look at what is popular. Every kind has favourites that more people meet than others.
 */
export function plantedTastes(users: number, kinds = 40, perKind = 50, seed = 7): Tastes {
  const random = seededRandom(seed);
  const gauss = (): number => Math.sqrt(-2 * Math.log(1 - random.float())) * Math.cos(2 * Math.PI * random.float());
  const around = (centre: Float32Array, spread: number): Float32Array => centre.map((x) => x + spread * gauss());
  const centres = Array.from({ length: kinds }, () => around(new Float32Array(DIMENSIONS), 1));
  const items = centres.flatMap((centre, kind) =>
    Array.from({ length: perKind }, (_, i) => ({ id: `${kind}/${i}`, kind, look: around(centre, 0.5) })),
  );
  const events: TasteEvent[] = [];
  const end = Date.UTC(2026, 0, 1);
  for (let u = 0; u < users; u++) {
    const tastes = Array.from({ length: 2 + pickInt(random, 2) }, () => {
      const kind = pickInt(random, kinds);
      const place = around(centres[kind] ?? new Float32Array(DIMENSIONS), 0.3);
      const near = items
        .filter((item) => item.kind === kind)
        .map((item) => ({ item, apart: Math.hypot(...item.look.map((x, i) => x - (place[i] ?? 0))) }))
        .sort((a, b) => a.apart - b.apart)
        .map(({ item }) => item.id);
      return near;
    });
    const count = 8 + pickInt(random, 16);
    for (let n = 0; n < count; n++) {
      const near = tastes[pickInt(random, tastes.length)] ?? [];
      // The nearer the likelier.
      const own = near[Math.floor(random.float() ** 2 * Math.min(25, near.length))] ?? '0/0';
      const isOwn = random.float() < 0.85;
      const item = isOwn ? own : `${pickInt(random, kinds)}/${Math.floor(random.float() ** 3 * perKind)}`;
      const signals = ['view', 'view', 'cart', 'buy'] as const;
      const signal = isOwn ? (signals[pickInt(random, 4)] ?? 'view') : random.float() < 0.3 ? 'dislike' : 'view';
      events.push({ user: `u${u}`, item, signal, at: end - (count - n) * DAY });
    }
  }
  return { items, events };
}
