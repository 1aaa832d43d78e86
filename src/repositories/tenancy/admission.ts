import type { Access, AdmitOptions, TenantPolicy } from './policy.ts';

/** What works under a policy, or under none. */
interface Governed {
  readonly policy?: TenantPolicy | undefined;
}

/** Asks the policy of a handle, if it has one. Returns nothing where there is nothing to wait for. */
export function admit({ policy }: Governed, access: Access, options: AdmitOptions): void | Promise<void> {
  return policy?.admit(access, options);
}

/** The call, once it is admitted: at once where that is known. */
export function admitted<R>(
  { policy }: Governed,
  access: Access,
  options: AdmitOptions,
  call: () => Promise<R>,
): Promise<R> {
  const answer = policy?.admit(access, options);
  return answer instanceof Promise ? answer.then(call) : call();
}
