// Ends HTTP responses: JSON with a code's number, name and text for every refusal, and the status
// that goes with each result code. Lane's thread only; the response must not be aborted.
import type { HttpResponse } from 'uWebSockets.js';
import { ResultCode, resultCodeName } from '../../core/result-codes.ts';

/** Seconds that a client is told to wait before it sends again what was refused for the moment. */
export const RETRY_AFTER_SECONDS = 1;

const STATUS_LINES: Readonly<Record<number, string>> = {
  200: '200 OK',
  400: '400 Bad Request',
  401: '401 Unauthorized',
  403: '403 Forbidden',
  404: '404 Not Found',
  405: '405 Method Not Allowed',
  409: '409 Conflict',
  413: '413 Payload Too Large',
  415: '415 Unsupported Media Type',
  503: '503 Service Unavailable',
};

/** The HTTP status of one transaction's or read's result code. */
export function httpStatusOf(code: number): number {
  switch (code) {
    case ResultCode.ok:
      return 200;
    case ResultCode.accountNotFound:
    case ResultCode.betNotFound:
    case ResultCode.holdNotFound:
      return 404;
    case ResultCode.forbidden:
      return 403;
    case ResultCode.keyConflict:
      return 409;
    default:
      if (code >= ResultCode.overloaded) return 503;
      return code >= ResultCode.malformed ? 400 : 409;
  }
}

/** Ends the response with a JSON value. */
export function endWithJson(response: HttpResponse, status: number, value: unknown): void {
  endWithBytes(response, status, 'application/json', JSON.stringify(value));
}

/** Ends the response with `{ code, name, text }`. */
export function endWithError(
  response: HttpResponse,
  status: number,
  code: number,
  text: string,
): void {
  endWithJson(response, status, { code, name: resultCodeName(code), text });
}

/** Ends the response with a body of a given type. */
export function endWithBytes(
  response: HttpResponse,
  status: number,
  contentType: string,
  body: string | Uint8Array,
): void {
  response.cork(() => {
    response.writeStatus(STATUS_LINES[status] ?? String(status));
    response.writeHeader('content-type', contentType);
    if (status === 503) response.writeHeader('retry-after', String(RETRY_AFTER_SECONDS));
    if (status === 401) response.writeHeader('www-authenticate', 'Bearer');
    response.end(body);
  });
}
