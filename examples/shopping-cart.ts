// Shopping carts whose history is kept, and a view of them that can be searched: what customers put in, what they took out
// again, and what they bought. The view is built anew when its rules change, while it is read.
import { type Default, Embedding, Entity, Field, Id, Index, open } from 'norimaki';
import { hashingEmbedder } from 'norimaki/embedders';
import { defineAggregate, defineProjection, EventStore, ProjectedRecord } from 'norimaki/patterns';
import { memory } from 'norimaki/stores/memory';
import { z } from 'zod';

type CartCommand =
  | { type: 'Add'; product: string; name: string; price: number }
  | { type: 'Remove'; product: string }
  | { type: 'CheckOut' };

interface CartState {
  items: Record<string, number>;
  isOpen: boolean;
}

const Cart = defineAggregate({
  name: 'cart',
  events: {
    ItemAdded: z.object({ product: z.string(), name: z.string(), price: z.number().positive() }),
    ItemRemoved: z.object({ product: z.string() }),
    CheckedOut: z.object({ total: z.number() }),
  },
  initial: (): CartState => ({ items: {}, isOpen: true }),
  evolve(cart, event): CartState {
    if (event.type === 'CheckedOut') return { ...cart, isOpen: false };
    const { [event.data.product]: _old, ...others } = cart.items;
    return {
      ...cart,
      items: event.type === 'ItemAdded' ? { ...others, [event.data.product]: event.data.price } : others,
    };
  },
  decide(command: CartCommand, cart) {
    if (!cart.isOpen) throw new Error('The cart was checked out.');
    switch (command.type) {
      case 'Add':
        return [{ type: 'ItemAdded', data: { product: command.product, name: command.name, price: command.price } }];
      case 'Remove':
        // Nothing happened, if it was not in it.
        return command.product in cart.items ? [{ type: 'ItemRemoved', data: { product: command.product } }] : [];
      case 'CheckOut': {
        const prices = Object.values(cart.items);
        if (prices.length === 0) throw new Error('The cart is empty.');
        return [{ type: 'CheckedOut', data: { total: prices.reduce((sum, price) => sum + price, 0) } }];
      }
    }
  },
});

/** What the shop looks at. */
@Entity('cart-view')
class CartView extends ProjectedRecord {
  @Id() id!: Id<string>;
  @Field(z.record(z.string(), z.string())) items: Default<Record<string, string>> = {};
  @Field(z.array(z.string())) removed: Default<string[]> = [];
  @Field(z.string()) @Index() status: Default<string> = 'open';
  @Field(z.number()) paid: Default<number> = 0;
  @Embedding({ from: (cart: CartView) => Object.values(cart.items).join(', ') }) vector?: Float32Array;
}

const Carts = defineProjection({
  name: 'carts',
  from: Cart,
  into: CartView,
  id: (event) => event.stream.id,
  apply(cart, event) {
    switch (event.type) {
      case 'ItemAdded':
        cart.items[event.data.product] = event.data.name;
        break;
      case 'ItemRemoved':
        cart.removed.push(cart.items[event.data.product] ?? event.data.product);
        delete cart.items[event.data.product];
        break;
      case 'CheckedOut':
        cart.status = 'bought';
        cart.paid = event.data.total;
    }
  },
});

await using db = await open(memory(), { embedder: hashingEmbedder() });
const store = new EventStore(db, { name: 'shop', aggregates: [Cart] });

// Would run in a worker, or in several: one of them at a time works on each part.
await using projection = store.project(Carts);
await using receipts = store.subscribe({ name: 'receipts', streams: Cart, onError: 'park' }, (event) => {
  if (event.type === 'CheckedOut') console.log(`receipt for ${event.stream.id}: ${event.data.total} €`);
});

const nori = { type: 'Add', product: 'nori', name: 'toasted nori seaweed', price: 4 } as const;
const rice = { type: 'Add', product: 'rice', name: 'short grain sushi rice', price: 3 } as const;
const pan = { type: 'Add', product: 'pan', name: 'cast iron pan', price: 40 } as const;
await store.handle(Cart, 'mia', nori);
await store.handle(Cart, 'mia', rice);
await store.handle(Cart, 'tom', pan);
await store.handle(Cart, 'tom', { type: 'Remove', product: 'pan' });
await store.handle(Cart, 'ada', pan);
await store.handle(Cart, 'mia', { type: 'CheckOut' });

// Views come after events: wait, where what was just done has to be in them.
await projection.caughtUp();
await receipts.caughtUp();
const carts = store.view(Carts);
const { hits } = await carts.search('seaweed', { limit: 1 });
console.log(`has seaweed: ${hits[0]?.entity.id}, ${hits[0]?.entity.status}`);
const { items: open_ } = await carts.find({ status: 'open' });
console.log(`open: ${open_.map(({ id }) => id).join(', ')}`);
// What only a history tells.
console.log(`tom changed his mind about: ${(await carts.get('tom'))?.removed.join()}`);

// The same views from the first event on, beside those that are read meanwhile.
await store.rebuild(Carts, {
  onProgress: ({ phase, done, total }) => console.log(`${phase}: ${done} of ${total} events`),
});
console.log(`after the rebuild mia paid ${(await carts.get('mia'))?.paid} €`);
