/** The daemon's native routes: JSON, and streams of server-sent events. */
import { Emitter, shared } from './state.js';

const ROOT = '/inkling/v1';

/** A stream that is silent for so long is a lost one: the daemon says something every 15 seconds. */
const SILENCE = 45_000;

/** What a request came to that was not answered well; status 0 means that the daemon was not reached. */
export class ApiError extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }

  get isLoss() { return this.status === 0; }
}

/** What shows that a request is this page's: the link hands it over, and no other port of this host is told. */
let key = shared.get('key');
if (/^#[0-9a-f]{64}$/.test(location.hash)) {
  key = location.hash.slice(1);
  shared.set('key', key);
  history.replaceState(null, '', location.pathname);
}

/** Tells how the daemon is reached: `change` with `open`, `lost` or `locked`. */
export const link = new Emitter();
let standing = 'connecting';

export function stand(state) {
  if (state === standing) return;
  standing = state;
  link.emit('change', state);
}

/** Sends a request; returns the answer's JSON. */
export async function call(method, path, body, { signal } = {}) {
  const response = await request(method, path, body, { signal });
  try {
    const text = await response.text();
    return text ? JSON.parse(text) : null;
  } catch (error) {
    throw lost(error, signal);
  }
}

/** The bytes of a file. */
export async function file(path) {
  const response = await request('GET', path, undefined, { cache: 'default' });
  return response.blob();
}

/**
 * The events of a stream, each as `{id, name, data}`.
 *
 * Ends when the daemon ends it; throws an `ApiError` when it is lost.
 */
export async function* events(method, path, { body, signal, after } = {}) {
  const headers = after ? { 'Last-Event-ID': after } : {};
  const response = await request(method, path, body, { signal, headers });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let watch = 0;
  let text = '';
  try {
    for (;;) {
      watch = setTimeout(() => reader.cancel('silent'), SILENCE);
      const { done, value } = await reader.read();
      clearTimeout(watch);
      if (done) return;
      // Only what is new can hold the blank line that ends an event.
      let from = Math.max(0, text.length - 1);
      text += value;
      for (let end; (end = text.indexOf('\n\n', from)) >= 0; from = 0) {
        const event = parse(text.slice(0, end));
        text = text.slice(end + 2);
        if (event) yield event;
      }
    }
  } catch (error) {
    throw error instanceof ApiError ? error : lost(error, signal);
  } finally {
    clearTimeout(watch);
    reader.cancel().catch(() => {});
  }
}

/** One event of its lines; `null` for a comment. */
function parse(block) {
  const event = { id: null, name: 'message', data: '' };
  for (const line of block.split('\n')) {
    const colon = line.indexOf(': ');
    if (colon <= 0) continue;
    const value = line.slice(colon + 2);
    if (line.startsWith('id:')) event.id = value;
    else if (line.startsWith('event:')) event.name = value;
    else if (line.startsWith('data:')) event.data += value;
  }
  return event.data ? { ...event, data: JSON.parse(event.data) } : null;
}

async function request(method, path, body, { signal, headers = {}, cache = 'no-store' } = {}) {
  // Another window may have been given a newer one.
  const options = { method, signal, cache, headers: { ...headers, Authorization: `Bearer ${shared.get('key') ?? key}` } };
  if (method !== 'GET') {
    options.headers['Content-Type'] = 'application/json';
    if (body !== undefined) options.body = JSON.stringify(body);
  }
  let response;
  try {
    response = await fetch(ROOT + path, options);
  } catch (error) {
    throw lost(error, signal);
  }
  if (response.ok) {
    stand('open');
    return response;
  }
  throw await failure(response);
}

async function failure(response) {
  let error = {};
  try {
    error = (await response.json()).error ?? {};
  } catch { /* No JSON: the status has to do. */ }
  stand(response.status === 401 ? 'locked' : 'open');
  return new ApiError(response.status, error.code ?? '', error.message ?? `The daemon answered ${response.status}.`);
}

/** An abort of our own goes on as it is; anything else means that the daemon is out of reach. */
function lost(error, signal) {
  if (signal?.aborted) return error;
  stand('lost');
  return new ApiError(0, 'unreachable', 'The daemon is not reached.');
}

export const wasAborted = error => error?.name === 'AbortError';
