import { expect } from 'vitest';
import type { Chunking } from '../../../src/core/model/model.ts';
import { open } from '../../../src/index.ts';
import { memory } from '../../../src/stores/memory/index.ts';
import {
  type FaultKind,
  fakeEmbedder,
  faultStore,
  type ManualClock,
  manualClock,
  SimulatedCrash,
  seededRandom,
} from '../../../src/testing/index.ts';
import { START } from '../../support/open.ts';
import type { Long } from './long-docs.ts';
import { disagreements } from './oracle.ts';
import { type Doc, type Docs, ways } from './world.ts';

/** What is there when a process begins with what it will not end. */
export interface Scene {
  readonly entity: typeof Doc | typeof Long;
  readonly chunk?: Chunking;
  /** Texts by id. */
  readonly texts: Readonly<Record<string, string>>;
  /** Ids that may be there later. */
  readonly others: readonly string[];
}

/** What happens next. */
export type Sequel = (docs: Docs, clock: ManualClock) => Promise<unknown>;

export function isCrash(error: unknown): boolean {
  return error instanceof SimulatedCrash || (error instanceof Error && isCrash(error.cause));
}

/** Errors of a write that a fault, or a second delivery of it, got in the way of. */
const UNSURE: readonly unknown[] = ['outcome.unknown', 'already.exists'];

function isExpected(fault: FaultKind, error: { readonly code?: unknown }): boolean {
  return fault === 'crashBefore' || fault === 'crashAfter' ? isCrash(error) : UNSURE.includes(error.code);
}

/**
 * Lets a fault meet an action at its first call of the store, in another world at its second, and so on; after each sequel
 * what is found must be what is there. Resolves to how many faults that were.
 */
export async function atEveryStep(
  scene: Scene,
  way: keyof typeof ways,
  fault: FaultKind,
  act: (docs: Docs) => Promise<unknown>,
  sequels: Readonly<Record<string, Sequel>>,
): Promise<number> {
  const ids = [...Object.keys(scene.texts), ...scene.others];
  let faults = 0;
  for (const [sequel, follow] of Object.entries(sequels)) {
    for (let step = 1, isOver = false; !isOver; step++) {
      const { clock, store, embedder, docs } = await begin(scene, way);
      let calls = 0;
      const script = ({ number }: { number: number }) => {
        calls = number;
        return number === step ? fault : 'none';
      };
      const faulty = faultStore(store, { random: seededRandom(3), clock, script, lateVectors: true });
      const doomed = await open(faulty, { clock, random: seededRandom(4), embedder });
      await act(doomed.repo(scene.entity) as unknown as Docs).catch((error: { code?: unknown }) => {
        if (!isExpected(fault, error)) throw error;
      });
      isOver = calls < step;
      if (!isOver) faults++;
      await follow(docs, clock);
      await faulty.deliverLate();
      expect(await disagreements(docs, embedder, ids, scene), `step ${step}, then ${sequel}`).toEqual([]);
    }
  }
  return faults;
}

async function begin({ entity, texts }: Scene, way: keyof typeof ways) {
  const clock = manualClock(START, { autoAdvance: true });
  const store = ways[way](await memory().openStore({ clock, random: seededRandom(1) }));
  const embedder = fakeEmbedder();
  // Every way leaves the vectors, which the types of a plain store do not show.
  const docs = (await open(store, { clock, random: seededRandom(2), embedder })).repo(entity) as unknown as Docs;
  for (const [id, text] of Object.entries(texts)) await docs.create({ id, text });
  return { clock, store, embedder, docs };
}
