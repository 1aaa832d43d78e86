import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface EmbeddingRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: { readonly model: string; readonly input: readonly string[]; readonly [option: string]: unknown };
}

/** How a request is answered: as a server should, or by hand. */
type Script = (request: EmbeddingRequest, response: ServerResponse) => 'serve' | 'handled';

/** An embeddings API over real HTTP that does what a test says. */
export interface EmbeddingServer {
  readonly url: string;
  readonly requests: readonly EmbeddingRequest[];
  script: Script;
  close(): Promise<void>;
}

/** Each text has a vector of its own: its length and its first character. */
export const vectorOf = (text: string): number[] => [text.length + 1, text.charCodeAt(0) || 0];

export function reply(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}

export function serve({ body }: EmbeddingRequest, response: ServerResponse): void {
  const data = body.input.map((text, index) => ({ object: 'embedding', index, embedding: vectorOf(text) }));
  reply(response, 200, { object: 'list', data, model: body.model, usage: { prompt_tokens: 1, total_tokens: 1 } });
}

async function read(request: IncomingMessage): Promise<EmbeddingRequest['body']> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString());
}

export async function embeddingServer(): Promise<EmbeddingServer> {
  const requests: EmbeddingRequest[] = [];
  const http = createServer(async (incoming, response) => {
    const request = { path: incoming.url ?? '', headers: incoming.headers, body: await read(incoming) };
    requests.push(request);
    if (server.script(request, response) === 'serve') serve(request, response);
  });
  await new Promise<void>((listening) => http.listen(0, '127.0.0.1', listening));
  const { port } = http.address() as AddressInfo;
  const server: EmbeddingServer = {
    url: `http://127.0.0.1:${port}/v1`,
    requests,
    script: () => 'serve',
    close: async () => {
      http.closeAllConnections();
      await new Promise((closed) => http.close(closed));
    },
  };
  return server;
}
