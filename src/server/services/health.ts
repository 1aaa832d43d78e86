import type { Server } from '@grpc/grpc-js';
import { loadOptional } from '../../wire/optional.ts';

/** `grpc.health.v1.Health`, where the package is installed. */
export interface Health {
  /** From now on nothing is served. */
  stop(): void;
}

/** `names`: the services that the server has; the empty name stands for all of it. */
export async function addHealth(server: Server, names: readonly string[]): Promise<Health> {
  const health = await loadOptional('grpc-health-check', () => import('grpc-health-check'));
  if (health === undefined) return { stop: () => {} };
  const all = ['', ...names];
  const implementation = new health.HealthImplementation(
    Object.fromEntries(all.map((name) => [name, 'SERVING' as const])),
  );
  implementation.addToServer(server);
  return {
    stop: () => {
      for (const name of all) implementation.setStatus(name, 'NOT_SERVING');
    },
  };
}
