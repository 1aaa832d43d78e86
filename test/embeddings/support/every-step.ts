import { expect } from 'vitest';
import type { Chunking } from '../../../src/core/model/model.ts';
import { modelOf } from '../../../src/decorators/index.ts';
import { open } from '../../../src/index.ts';
import { type MemoryStore, memory } from '../../../src/stores/memory/index.ts';
import {
  type FaultKind,
  fakeEmbedder,
  faultStore,
  type ManualClock,
  manualClock,
  SimulatedCrash,
  seededRandom,
} from '../../../src/testing/index.ts';
import { contentsOf } from '../../support/contents.ts';
import { START } from '../../support/open.ts';
import type { Long } from './long-docs.ts';
import { namespacesOf, vectorsIn } from './moving.ts';
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

const isOfCrash = (fault: FaultKind): boolean => fault === 'crashBefore' || fault === 'crashAfter';

function isExpected(fault: FaultKind, error: { readonly code?: unknown }): boolean {
  return isOfCrash(fault) ? isCrash(error) : UNSURE.includes(error.code);
}

/**
 * Lets a fault meet an action at its first call of the store, in another world at its second, and so on; after each sequel
 * what is found must be what is there. Faults that leave nothing, as at a read, or what one before them left, are followed
 * no further. Resolves to how many were.
 */
export async function atEveryStep(
  scene: Scene,
  way: keyof typeof ways,
  fault: FaultKind,
  act: (docs: Docs) => Promise<unknown>,
  sequels: Readonly<Record<string, Sequel>>,
): Promise<number> {
  const ids = [...Object.keys(scene.texts), ...scene.others];
  const steps = await differentSteps(scene, way, fault, act);
  for (const [sequel, follow] of Object.entries(sequels)) {
    for (const step of steps) {
      const { clock, embedder, docs, faulty } = await struck(scene, way, step, fault, act);
      await follow(docs, clock);
      await faulty.deliverLate();
      expect(await disagreements(docs, embedder, ids, scene), `step ${step}, then ${sequel}`).toEqual([]);
    }
  }
  return steps.length;
}

async function differentSteps(
  scene: Scene,
  way: keyof typeof ways,
  fault: FaultKind,
  act: (docs: Docs) => Promise<unknown>,
): Promise<number[]> {
  const steps: number[] = [];
  const seen = new Set<string>();
  for (let step = 1; ; step++) {
    const { inner, faulty, wasReached } = await struck(scene, way, step, fault, act);
    if (!wasReached) return steps;
    if (faulty.injected.length === 0) continue;
    const left = isOfCrash(fault) ? await allOf(inner, scene) : `what step ${step} has yet to deliver`;
    if (!seen.has(left)) steps.push(step);
    seen.add(left);
  }
}

/** The world after an action that met a fault. */
async function struck(
  scene: Scene,
  way: keyof typeof ways,
  step: number,
  fault: FaultKind,
  act: (docs: Docs) => Promise<unknown>,
) {
  const { clock, inner, store, embedder, docs } = await begin(scene, way);
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
  return { clock, inner, embedder, docs, faulty, wasReached: calls >= step };
}

/** All that is stored, vectors too. */
async function allOf(store: MemoryStore, { entity }: Scene): Promise<string> {
  const { active } = await namespacesOf(store, modelOf(entity).name);
  const ids = await vectorsIn(store, active);
  return `${await contentsOf(store)}${ids}\n${await store.vectors.getMany(active, ids)}`;
}

async function begin({ entity, texts }: Scene, way: keyof typeof ways) {
  const clock = manualClock(START, { autoAdvance: true });
  const inner = await memory().openStore({ clock, random: seededRandom(1) });
  const store = ways[way](inner);
  const embedder = fakeEmbedder();
  // Every way leaves the vectors, which the types of a plain store do not show.
  const docs = (await open(store, { clock, random: seededRandom(2), embedder })).repo(entity) as unknown as Docs;
  for (const [id, text] of Object.entries(texts)) await docs.create({ id, text });
  return { clock, inner, store, embedder, docs };
}
