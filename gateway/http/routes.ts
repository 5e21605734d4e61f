// The HTTP side of a lane: transactions by POST, balances by GET, the same codes as the WebSocket.
// Each request becomes a connection of its own with one frame, so that limits, order and the wait
// for the disk are the same. Lane's thread only. A response that was aborted is never touched
// again.

import type { HttpRequest, HttpResponse, TemplatedApp } from 'uWebSockets.js';
import { Packr } from 'msgpackr';
import type { Client } from '../../core/policies/directory.ts';
import { ResultCode, resultCodeName } from '../../core/result-codes.ts';
import { authenticate } from '../lane/authentication.ts';
import { ClientSession } from '../lane/client-session.ts';
import type { Connection } from '../lane/connection.ts';
import type { StreamOptions } from '../lane/stream.ts';
import { RequestType } from '../wire/request-head.ts';
import { endWithBytes, endWithError, endWithJson, httpStatusOf } from './http-answer.ts';
import { codeOf, jsonBalance, jsonOutcome, readAnswer } from './json-answer.ts';
import { requestOfJson } from './json-transaction.ts';
import { collectBody } from './request-body.ts';

const JSON_TYPE = 'application/json';
const MSGPACK_TYPE = 'application/msgpack';
const packr = new Packr({ useRecords: false });
const decoder = new TextDecoder('utf-8', { fatal: true });

/** What comes of an answer; called once, unless the client went away before. */
type AnswerHandler = (response: HttpResponse, answer: Uint8Array) => void;

/** Adds the routes to the app; `/v1/stream` must have been added before. */
export function serveHttp(app: TemplatedApp, options: StreamOptions): void {
  const { lane } = options;
  app.post('/v1/transactions', (response, request) => {
    lane.guard('POST /v1/transactions', () => postTransactions(options, response, request));
  });
  app.get('/v1/accounts/:player/:currency', (response, request) => {
    lane.guard('GET /v1/accounts', () => getAccount(options, response, request));
  });
  const refuseMethod = (response: HttpResponse): void =>
    endWithError(response, 405, ResultCode.malformed, 'this path has another method');
  app.any('/v1/transactions', refuseMethod);
  app.any('/v1/accounts/:player/:currency', refuseMethod);
  app.any('/v1/stream', (response) => {
    endWithError(response, 400, ResultCode.malformed, 'this path takes WebSocket upgrades only');
  });
  app.any('/*', (response) => {
    endWithError(response, 404, ResultCode.malformed, 'there is nothing under this path');
  });
}

function postTransactions(
  options: StreamOptions,
  response: HttpResponse,
  request: HttpRequest,
): void {
  const client = authorised(options, response, request);
  if (client === undefined) return;
  const contentType = request.getHeader('content-type').split(';')[0].trim().toLowerCase();
  if (contentType !== JSON_TYPE && contentType !== MSGPACK_TYPE) {
    const text = `the content type must be ${JSON_TYPE} or ${MSGPACK_TYPE}`;
    endWithError(response, 415, ResultCode.malformed, text);
    return;
  }
  const { frameBytesMax } = options.settings;
  collectBody(response, frameBytesMax, (body) => {
    options.lane.guard('body of a request', () => {
      if (body === undefined) {
        const text = `the body must be at most ${frameBytesMax} bytes`;
        endWithError(response, 413, ResultCode.tooLarge, text);
      } else if (contentType === JSON_TYPE) submitJson(options, response, client, body);
      else submit(options, { response, client, frame: body }, endWithAnswer);
    });
  });
}

function submitJson(
  options: StreamOptions,
  response: HttpResponse,
  client: Client,
  body: Uint8Array,
): void {
  const request = requestOfJson(parseJson(body));
  if (request === undefined) {
    const text = 'the body must be a transaction or { "transactions": [ … ], "atomic": … }';
    endWithError(response, 400, ResultCode.malformed, text);
    return;
  }
  const { frame, isSingle } = request;
  submit(options, { response, client, frame }, isSingle ? endWithOutcome : endWithOutcomes);
}

// undefined, which no JSON is, for what is none.
function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(body));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return undefined;
    throw error;
  }
}

function getAccount(options: StreamOptions, response: HttpResponse, request: HttpRequest): void {
  const client = authorised(options, response, request);
  if (client === undefined) return;
  const player = pathPart(request.getParameter(0));
  const currency = pathPart(request.getParameter(1));
  const frame = packr.pack([RequestType.balances, 0, [[player, currency]]]);
  response.onAborted(() => undefined);
  submit(options, { response, client, frame }, (ended, bytes) => {
    const answer = readAnswer(bytes);
    if (answer.refusal !== undefined) {
      endRefused(ended, answer.refusal);
      return;
    }
    const [element] = answer.elements;
    const code = codeOf(element);
    if (code === ResultCode.ok) {
      const { position } = answer;
      endWithJson(ended, 200, { player, currency, ...jsonBalance(element), position });
    } else endWithError(ended, httpStatusOf(code), code, resultCodeName(code));
  });
}

// Percent-encoded UTF-8; what is not becomes nil, which the decoder refuses.
function pathPart(part: string | undefined): string | null {
  try {
    return decodeURIComponent(part ?? '');
  } catch (error) {
    if (error instanceof URIError) return null;
    throw error;
  }
}

function authorised(
  options: StreamOptions,
  response: HttpResponse,
  request: HttpRequest,
): Client | undefined {
  const client = authenticate(options.directory, request.getHeader('authorization'));
  if (client !== undefined) return client;
  options.counters.countRefusal('unauthorised');
  endWithError(response, 401, ResultCode.forbidden, 'no valid key in the header authorization');
  return undefined;
}

interface Submission {
  readonly response: HttpResponse;
  readonly client: Client;
  readonly frame: Uint8Array;
}

function submit(options: StreamOptions, submission: Submission, handle: AnswerHandler): void {
  const { lane } = options;
  const { client, frame, response } = submission;
  let connection: Connection | undefined;
  const finish = (end: () => void): void => {
    if (connection !== undefined) {
      if (connection.closed) return;
      lane.disconnect(connection);
    }
    end();
  };
  connection = lane.connect(new ClientSession(options.directory, client), {
    send: (answer) => {
      finish(() => handle(response, answer));
      return true;
    },
    close: () => finish(() => endWithError(response, 400, ResultCode.malformed, 'no request')),
  });
  const opened = connection;
  response.onAborted(() => lane.guard('aborted request', () => lane.disconnect(opened)));
  lane.receive(opened, frame);
}

function endRefused(response: HttpResponse, refusal: { code: number; text: string }): void {
  const { code } = refusal;
  const text = code === ResultCode.overloaded ? `retry after ${refusal.text} ms` : refusal.text;
  endWithError(response, code === ResultCode.tooLarge ? 413 : httpStatusOf(code), code, text);
}

const endWithOutcome: AnswerHandler = (response, bytes) => {
  const { elements, position, refusal } = readAnswer(bytes);
  if (refusal !== undefined) endRefused(response, refusal);
  else {
    const outcome = { ...jsonOutcome(elements[0]), position };
    endWithJson(response, httpStatusOf(codeOf(elements[0])), outcome);
  }
};

const endWithOutcomes: AnswerHandler = (response, bytes) => {
  const { elements, position, refusal } = readAnswer(bytes);
  if (refusal !== undefined) endRefused(response, refusal);
  else endWithJson(response, 200, { position, outcomes: elements.map(jsonOutcome) });
};

const endWithAnswer: AnswerHandler = (response, bytes) => {
  const { refusal } = readAnswer(bytes);
  const status = refusal === undefined ? 200 : httpStatusOf(refusal.code);
  endWithBytes(response, status, MSGPACK_TYPE, bytes);
};
