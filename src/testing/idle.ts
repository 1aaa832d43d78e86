/** Resolves when every promise that could settle without I/O has settled: in the next macrotask. */
export function idle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
