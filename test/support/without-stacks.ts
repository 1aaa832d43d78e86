/**
 * Errors capture no stack until the returned function is called: in a test that expects a hundred thousand of them, that
 * takes a tenth of the time.
 */
export function withoutStacks(): () => void {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  return () => {
    Error.stackTraceLimit = limit;
  };
}
