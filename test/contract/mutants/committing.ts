import { NorimakiError } from '../../../src/core/errors.ts';
import type { CommitOperation, CommitOptions } from '../../../src/core/store.ts';
import { makeVersion, type Version } from '../../../src/core/version.ts';
import { idle } from '../../../src/testing/idle.ts';
import { StoreWrapper } from '../../../src/testing/store-wrapper.ts';
import { type Mutant, mutant, nameOf } from './mutant.ts';

type CommitCall = [operations: readonly CommitOperation[], options?: CommitOptions];

class AppliesAPrefix extends StoreWrapper {
  override async commit(...[operations, options]: CommitCall): Promise<Version> {
    try {
      return await super.commit(operations, options);
    } catch (error) {
      const refused = NorimakiError.is(error, 'version.mismatch') || NorimakiError.is(error, 'already.exists');
      if (refused) await super.commit(operations.slice(0, error.details.operation));
      throw error;
    }
  }
}

class ChecksWithGap extends StoreWrapper {
  override async commit(...[operations, options]: CommitCall): Promise<Version> {
    const checks = operations.map(
      ({ key, ifMatch, ...operation }): CommitOperation => ({
        type: 'check',
        key,
        ifMatch,
        ifAbsent: operation.type !== 'delete' && operation.ifAbsent,
      }),
    );
    await super.commit(checks, { signal: options?.signal });
    await idle();
    const bare = operations.map((operation) => ({ ...operation, ifMatch: undefined, ifAbsent: false }));
    return super.commit(bare, options);
  }
}

class IgnoresChecks extends StoreWrapper {
  override commit(...[operations, options]: CommitCall): Promise<Version> {
    const bare = operations.map(
      (operation): CommitOperation => (operation.type === 'check' ? { type: 'check', key: operation.key } : operation),
    );
    return super.commit(bare, options);
  }
}

class ChecksTouch extends StoreWrapper {
  override async commit(...[operations, options]: CommitCall): Promise<Version> {
    const version = await super.commit(operations, options);
    for (const { type, key } of operations) {
      const found = type === 'check' ? await super.get(key) : undefined;
      if (found !== undefined) await super.put(key, found.value, { expiresAt: found.expiresAt });
    }
    return version;
  }
}

class LastOfTwiceWins extends StoreWrapper {
  override commit(...[operations, options]: CommitCall): Promise<Version> {
    const byKey = new Map(operations.map((operation) => [nameOf(operation.key), operation]));
    return super.commit([...byKey.values()], options);
  }
}

class ForgetsThePosition extends StoreWrapper {
  override async commit(...call: CommitCall): Promise<Version> {
    try {
      return await super.commit(...call);
    } catch (error) {
      if (NorimakiError.is(error, 'version.mismatch')) throw new NorimakiError(error.code, error.message, {});
      throw error;
    }
  }
}

class ForgetsDeadlines extends StoreWrapper {
  override commit(...[operations, options]: CommitCall): Promise<Version> {
    const bare = operations.map(
      (operation): CommitOperation => (operation.type === 'put' ? { ...operation, expiresAt: undefined } : operation),
    );
    return super.commit(bare, options);
  }
}

class CommitVersionDiffers extends StoreWrapper {
  override async commit(...call: CommitCall): Promise<Version> {
    return makeVersion(6n, BigInt((await super.commit(...call)).split('.')[1] ?? 0));
  }
}

class CommitAppliedTwice extends StoreWrapper {
  override commit(...[operations, options]: CommitCall): Promise<Version> {
    return super.commit(operations, { ...options, idempotencyKey: undefined });
  }
}

/** Mistakes in writing several keys together. */
export const committingMutants: Record<string, Mutant> = {
  'a refused commit applies what came before': mutant('commit', AppliesAPrefix),
  'a commit has a gap between its checks and its writes': mutant('races', ChecksWithGap),
  'a commit ignores its checks': mutant('commit', IgnoresChecks),
  'a check moves the version': mutant('commit', ChecksTouch),
  'of two operations on one key the last wins': mutant('commit', LastOfTwiceWins),
  'a refused commit does not say which operation': mutant('commit', ForgetsThePosition),
  'a commit forgets deadlines': mutant('expiry', ForgetsDeadlines),
  'a commit returns another version than its records have': mutant('commit', CommitVersionDiffers),
  'a repeated commit is applied twice': mutant('idempotency', CommitAppliedTwice),
};
