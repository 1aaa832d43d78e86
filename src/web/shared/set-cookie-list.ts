/** The `Set-Cookie` headers of a response with one more, in place of the one of the same name. */
export function withCookie(headers: unknown, name: string, header: string): string[] {
  const list = Array.isArray(headers) ? headers.map(String) : headers === undefined ? [] : [String(headers)];
  return [...list.filter((other) => !other.startsWith(`${name}=`)), header];
}
