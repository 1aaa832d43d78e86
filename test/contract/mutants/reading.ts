import {
  canScan,
  type Key,
  type KeyRange,
  type ReadOptions,
  type ScanOptions,
  type ScanPage,
  type Stored,
} from '../../../src/core/store.ts';
import { makeVersion } from '../../../src/core/version.ts';
import { StoreWrapper } from '../../../src/testing/store-wrapper.ts';
import { type Mutant, mutant, nameOf } from './mutant.ts';

class StaleRead extends StoreWrapper {
  readonly #before = new Map<string, Stored | undefined>();
  #reads = 0;

  override async get(key: Key, options: ReadOptions = {}): Promise<Stored | undefined> {
    const name = nameOf(key);
    const found = await super.get(key, options);
    const [before, known] = [this.#before.get(name), this.#before.has(name)];
    this.#before.set(name, found);
    return known && ++this.#reads % 20 === 0 ? before : found;
  }
}

class EmptyIsMissing extends StoreWrapper {
  override async get(key: Key, options?: ReadOptions): Promise<Stored | undefined> {
    const found = await super.get(key, options);
    return found?.value.length === 0 ? undefined : found;
  }
}

class ReadsAlias extends StoreWrapper {
  readonly #cache = new Map<string, Stored>();

  override async get(key: Key, options?: ReadOptions): Promise<Stored | undefined> {
    const found = await super.get(key, options);
    const cached = this.#cache.get(nameOf(key));
    if (found === undefined || found.version === cached?.version) return found && cached;
    this.#cache.set(nameOf(key), found);
    return found;
  }
}

class GetManySorted extends StoreWrapper {
  override getMany(keys: readonly Key[], options?: ReadOptions): Promise<(Stored | undefined)[]> {
    return super.getMany(keys.toSorted(Buffer.compare), options);
  }
}

class GetManyDropsMissing extends StoreWrapper {
  override async getMany(keys: readonly Key[], options?: ReadOptions): Promise<(Stored | undefined)[]> {
    return (await super.getMany(keys, options)).filter((found) => found !== undefined);
  }
}

class GetManyOtherVersions extends StoreWrapper {
  override async getMany(keys: readonly Key[], options?: ReadOptions): Promise<(Stored | undefined)[]> {
    return (await super.getMany(keys, options)).map((found) => found && { ...found, version: makeVersion(0n, 1n) });
  }
}

class DeadlineHidden extends StoreWrapper {
  override async get(key: Key, options?: ReadOptions): Promise<Stored | undefined> {
    const found = await super.get(key, options);
    return found && { value: found.value, version: found.version };
  }
}

type ScanCall = [range: KeyRange, options?: ScanOptions];
const after = (key: Key): Key => Uint8Array.of(...key, 0);

class ScanIncludesEnd extends StoreWrapper {
  override scan(...[range, options]: ScanCall): Promise<ScanPage> {
    return super.scan({ ...range, end: after(range.end) }, options);
  }
}

class ScanExcludesStart extends StoreWrapper {
  override scan(...[range, options]: ScanCall): Promise<ScanPage> {
    return super.scan({ ...range, start: after(range.start) }, options);
  }
}

class RestLosesAKey extends StoreWrapper {
  override async scan(...[range, options]: ScanCall): Promise<ScanPage> {
    const page = await super.scan(range, options);
    if (page.rest === undefined || options?.reverse || !canScan(this.inner)) return page;
    const next = (await this.inner.scan(page.rest, { limit: 1 })).entries[0];
    return next === undefined ? page : { ...page, rest: { ...page.rest, start: after(next.key) } };
  }
}

class ReverseRepeatsAKey extends StoreWrapper {
  override async scan(...[range, options]: ScanCall): Promise<ScanPage> {
    const page = await super.scan(range, options);
    if (page.rest === undefined || !options?.reverse || page.entries.length < 2) return page;
    return { ...page, rest: { ...page.rest, end: after(page.rest.end) } };
  }
}

class ReverseOnlyWithinPages extends StoreWrapper {
  override async scan(...[range, options = {}]: ScanCall): Promise<ScanPage> {
    if (!options.reverse) return super.scan(range, options);
    const page = await super.scan(range, { ...options, reverse: false });
    return { ...page, entries: page.entries.toReversed() };
  }
}

class ScanWithoutRest extends StoreWrapper {
  override async scan(...call: ScanCall): Promise<ScanPage> {
    return { entries: (await super.scan(...call)).entries };
  }
}

class ScanSkipsEmpty extends StoreWrapper {
  override async scan(...[range, options]: ScanCall): Promise<ScanPage> {
    const page = await super.scan(range, options);
    return { ...page, entries: page.entries.filter(({ value }) => value.length > 0) };
  }
}

class AnyLimit extends StoreWrapper {
  override scan(...[range, options = {}]: ScanCall): Promise<ScanPage> {
    const limit = Math.min(1000, Math.max(1, Math.floor(options.limit ?? 100) || 1));
    return super.scan(range, { ...options, limit });
  }
}

/** Mistakes in what a store answers. */
export const readingMutants: Record<string, Mutant> = {
  'a strong read is stale': mutant('races', StaleRead),
  'an empty value is missing': mutant('bytes', EmptyIsMissing),
  'reads hand out one buffer': mutant('bytes', ReadsAlias),
  'getMany answers in key order': mutant('bytes', GetManySorted),
  'getMany leaves out missing keys': mutant('bytes', GetManyDropsMissing),
  'getMany has versions of its own': mutant('versions', GetManyOtherVersions),
  'reads hide the deadline': mutant('expiry', DeadlineHidden),
  'a scan includes the end of its range': mutant('scan', ScanIncludesEnd),
  'a scan excludes the start of its range': mutant('scan', ScanExcludesStart),
  'the rest of a page loses a key': mutant('scan', RestLosesAKey),
  'the rest of a reverse page repeats a key': mutant('scan', ReverseRepeatsAKey),
  'reverse turns round single pages only': mutant('scan', ReverseOnlyWithinPages),
  'a scan ends after one page': mutant('scan', ScanWithoutRest),
  'a scan leaves out empty values': mutant('scan', ScanSkipsEmpty),
  'a scan takes any limit': mutant('scan', AnyLimit),
};
