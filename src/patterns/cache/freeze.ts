/** What `Object.freeze`, part by part, makes immutable. */
export type Plain = string | number | bigint | boolean | symbol | null | undefined | object;

/** Whether freezing every part would make it immutable: dates, maps and typed arrays are not, whatever is frozen. */
export function isFreezable(value: unknown): value is Plain {
  if (typeof value !== 'object' || value === null) return typeof value !== 'function';
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== Array.prototype && prototype !== null) return false;
  return Object.values(value).every(isFreezable);
}
