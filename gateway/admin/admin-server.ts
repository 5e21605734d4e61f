// The admin port: health, readiness and metrics over plain HTTP, read-only (design section 7). It
// listens before recovery starts, so that whoever watches a start sees it. Main thread only.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Readiness } from './readiness.ts';

/** Where the admin port takes its answers from. */
export interface AdminSources {
  readonly readiness: Readiness;
  readonly metrics: { readonly contentType: string; render(): Promise<string> };
}

/** An admin port that listens. */
export interface AdminServer {
  readonly port: number;
  close(): Promise<void>;
}

// A scraper or two and a person with curl: more connections than this are a mistake.
const CONNECTIONS_MAX = 200;
const REQUEST_TIMEOUT_MS = 5_000;

/** Listens on the address; rejects when it cannot be taken. Port 0 takes a free one. */
export async function listenAdmin(
  host: string,
  port: number,
  sources: AdminSources,
): Promise<AdminServer> {
  const server = createServer((request, response) => {
    answer(request, response, sources).catch((error: unknown) => {
      send(response, 500, 'text/plain; charset=utf-8', `Cannot answer: ${String(error)}\n`);
    });
  });
  server.maxConnections = CONNECTIONS_MAX;
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  server.headersTimeout = REQUEST_TIMEOUT_MS;
  await listen(server, host, port);
  return { port: boundPort(server), close: () => close(server) };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { readiness, metrics }: AdminSources,
): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD');
    send(response, 405, 'text/plain; charset=utf-8', 'Only GET is answered here.\n');
    return;
  }
  const [path] = (request.url ?? '/').split('?');
  switch (path) {
    case '/healthz':
      send(response, 200, 'text/plain; charset=utf-8', 'ok\n');
      return;
    case '/readyz': {
      const report = readiness.report(Date.now());
      const body = `${JSON.stringify(report)}\n`;
      send(response, report.ready ? 200 : 503, 'application/json; charset=utf-8', body);
      return;
    }
    case '/metrics':
      send(response, 200, metrics.contentType, await metrics.render());
      return;
    default:
      send(
        response,
        404,
        'text/plain; charset=utf-8',
        'Here are /healthz, /readyz and /metrics.\n',
      );
  }
}

function send(response: ServerResponse, status: number, contentType: string, body: string): void {
  response.writeHead(status, { 'content-type': contentType, 'cache-control': 'no-store' });
  response.end(body);
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      const advice = 'end the other program or set KASSA_ADMIN_PORT and KASSA_ADMIN_HOST';
      reject(
        new Error(
          `Cannot listen for admin requests because the address could not be taken: ` +
            `${host}:${port}: ${error.message}; ${advice}`,
        ),
      );
    });
    server.listen(port, host, resolve);
  });
}

function boundPort(server: Server): number {
  const address = server.address() as AddressInfo;
  return address.port;
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
