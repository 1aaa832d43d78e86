import { NorimakiError } from '../../../src/core/errors.ts';
import type { DeleteOptions, Key, PutOptions, ReadOptions, Stored } from '../../../src/core/store.ts';
import { makeVersion, type Version } from '../../../src/core/version.ts';
import { idle } from '../../../src/testing/idle.ts';
import { StoreWrapper } from '../../../src/testing/store-wrapper.ts';
import { type Mutant, mutant, nameOf } from './mutant.ts';

type PutCall = [key: Key, value: Uint8Array, options?: PutOptions];
type DeleteCall = [key: Key, options?: DeleteOptions];

class CasWithGap extends StoreWrapper {
  override async put(...[key, value, options = {}]: PutCall): Promise<Version> {
    if (options.ifMatch === undefined || options.ifAbsent) return super.put(key, value, options);
    const found = await super.get(key);
    if (found?.version !== options.ifMatch) return super.put(key, value, options);
    await idle();
    return super.put(key, value, { ...options, ifMatch: undefined });
  }
}

class CreateWithGap extends StoreWrapper {
  override async put(...[key, value, options = {}]: PutCall): Promise<Version> {
    const isCreate = options.ifAbsent && options.ifMatch === undefined && options.idempotencyKey === undefined;
    if (!isCreate || (await super.get(key)) !== undefined) return super.put(key, value, options);
    await idle();
    return super.put(key, value, { ...options, ifAbsent: false });
  }
}

class LosesAcknowledged extends StoreWrapper {
  #puts = 0;

  override async put(...[key, value, options]: PutCall): Promise<Version> {
    return ++this.#puts % 15 === 0 ? makeVersion(3n, BigInt(this.#puts)) : super.put(key, value, options);
  }
}

class AcknowledgesBeforeApplying extends StoreWrapper {
  override async delete(...call: DeleteCall): Promise<boolean> {
    const [key, options = {}] = call;
    if (options.ifMatch !== undefined || options.idempotencyKey !== undefined) return super.delete(...call);
    const existed = (await super.get(key, { signal: options.signal })) !== undefined;
    void idle()
      .then(() => super.delete(...call))
      .catch(() => {});
    return existed;
  }
}

class PutVersionDiffers extends StoreWrapper {
  override async put(...call: PutCall): Promise<Version> {
    const version = await super.put(...call);
    return makeVersion(7n, BigInt(version.split('.')[1] ?? 0));
  }
}

class DeleteIgnoresIfMatch extends StoreWrapper {
  override delete(...[key, options]: DeleteCall): Promise<boolean> {
    return super.delete(key, { ...options, ifMatch: undefined });
  }
}

class DeleteAlwaysTrue extends StoreWrapper {
  override async delete(...call: DeleteCall): Promise<boolean> {
    return (await super.delete(...call)) || true;
  }
}

class DeleteOfMissingMatches extends StoreWrapper {
  override async delete(...call: DeleteCall): Promise<boolean> {
    try {
      return await super.delete(...call);
    } catch (error) {
      if (NorimakiError.is(error, 'version.mismatch') && error.details.actual === undefined) return false;
      throw error;
    }
  }
}

class IfAbsentOverwrites extends StoreWrapper {
  override put(...[key, value, options = {}]: PutCall): Promise<Version> {
    return super.put(key, value, options.ifMatch === undefined ? { ...options, ifAbsent: false } : options);
  }
}

class IfMatchCreates extends StoreWrapper {
  override async put(...[key, value, options = {}]: PutCall): Promise<Version> {
    const isMissing = options.ifMatch !== undefined && !options.ifAbsent && (await super.get(key)) === undefined;
    return super.put(key, value, isMissing ? { ...options, ifMatch: undefined } : options);
  }
}

class BothPreconditions extends StoreWrapper {
  override put(...[key, value, options = {}]: PutCall): Promise<Version> {
    const both = options.ifMatch !== undefined && options.ifAbsent;
    return super.put(key, value, both ? { ...options, ifAbsent: false } : options);
  }
}

class RefusalTouches extends StoreWrapper {
  override async put(...call: PutCall): Promise<Version> {
    try {
      return await super.put(...call);
    } catch (error) {
      const found = NorimakiError.is(error, 'version.mismatch') ? await super.get(call[0]) : undefined;
      if (found !== undefined) await super.put(call[0], found.value, { expiresAt: found.expiresAt });
      throw error;
    }
  }
}

class WrongCode extends StoreWrapper {
  override async put(...call: PutCall): Promise<Version> {
    try {
      return await super.put(...call);
    } catch (error) {
      if (!NorimakiError.is(error, 'already.exists')) throw error;
      throw new NorimakiError('version.mismatch', 'The key exists.', {});
    }
  }
}

class WritesAlias extends StoreWrapper {
  readonly #values = new Map<Version, Uint8Array>();

  override async put(...[key, value, options]: PutCall): Promise<Version> {
    const version = await super.put(key, value, options);
    this.#values.set(version, value);
    return version;
  }

  override async get(key: Key, options?: ReadOptions): Promise<Stored | undefined> {
    const found = await super.get(key, options);
    return found && { ...found, value: Uint8Array.from(this.#values.get(found.version) ?? found.value) };
  }
}

class IdempotencyIgnored extends StoreWrapper {
  override put(...[key, value, options]: PutCall): Promise<Version> {
    return super.put(key, value, { ...options, idempotencyKey: undefined });
  }

  override delete(...[key, options]: DeleteCall): Promise<boolean> {
    return super.delete(key, { ...options, idempotencyKey: undefined });
  }
}

class IdempotencyShared extends StoreWrapper {
  readonly #answers = new Map<string, Version>();

  override async put(...[key, value, options = {}]: PutCall): Promise<Version> {
    const known = this.#answers.get(options.idempotencyKey ?? '');
    if (known !== undefined) return known;
    const version = await super.put(key, value, options);
    if (options.idempotencyKey !== undefined) this.#answers.set(options.idempotencyKey, version);
    return version;
  }
}

class IdempotencyAcrossVerbs extends StoreWrapper {
  readonly #used = new Set<string>();

  override async put(...[key, value, options = {}]: PutCall): Promise<Version> {
    this.#used.add(nameOf(key) + options.idempotencyKey);
    return super.put(key, value, options);
  }

  override async delete(...[key, options = {}]: DeleteCall): Promise<boolean> {
    const isRepeated = options.idempotencyKey !== undefined && this.#used.has(nameOf(key) + options.idempotencyKey);
    return isRepeated || super.delete(key, options);
  }
}

class RepeatRefused extends StoreWrapper {
  /** Looks at the precondition before it looks whether the write is known. */
  override async put(...[key, value, options = {}]: PutCall): Promise<Version> {
    const isCreate = options.ifAbsent && options.ifMatch === undefined;
    if (isCreate && (await super.get(key)) !== undefined) {
      throw new NorimakiError('already.exists', 'The key exists.', {});
    }
    return super.put(key, value, options);
  }
}

/** Mistakes in single writes. */
export const writingMutants: Record<string, Mutant> = {
  'a CAS has a gap between its check and its write': mutant('races', CasWithGap),
  'a create has a gap between its check and its write': mutant('races', CreateWithGap),
  'an acknowledged write is lost': mutant('linearizability', LosesAcknowledged),
  'a delete is acknowledged before it is applied': mutant('bytes', AcknowledgesBeforeApplying),
  'put returns another version than get': mutant('versions', PutVersionDiffers),
  'delete ignores ifMatch': mutant('preconditions', DeleteIgnoresIfMatch),
  'delete always says true': mutant('bytes', DeleteAlwaysTrue),
  'delete with ifMatch of a missing key is no error': mutant('preconditions', DeleteOfMissingMatches),
  'ifAbsent overwrites': mutant('preconditions', IfAbsentOverwrites),
  'ifMatch creates a missing key': mutant('preconditions', IfMatchCreates),
  'ifMatch and ifAbsent together are taken': mutant('preconditions', BothPreconditions),
  'a refused put moves the version': mutant('preconditions', RefusalTouches),
  'a refused ifAbsent has the code of ifMatch': mutant('preconditions', WrongCode),
  'writes keep the buffer of the caller': mutant('bytes', WritesAlias, StoreWrapper),
  'a repeated write is applied twice': mutant('idempotency', IdempotencyIgnored),
  'an idempotency key is shared across keys': mutant('idempotency', IdempotencyShared),
  'an idempotency key is shared across verbs': mutant('idempotency', IdempotencyAcrossVerbs),
  'a repeated create is refused by its own effect': mutant('idempotency', RepeatRefused),
};
