/** The canvas: what is typed goes out at once, and frames come back. */
import { ApiError, call, events, file, wasAborted } from './api.js';
import { sleep } from './dom.js';
import { agreement, Emitter, exclusively, own } from './state.js';

/** Between two attempts to reach the daemon, in milliseconds. */
const PAUSES = { first: 150, longest: 2000 };

/**
 * Emits `text` (another window typed), `settings`, `begin` (another canvas than before), `frame`, `refused`
 * (an error), and the daemon's own `progress`, `superseded`, `settled`, `loading`, `notice`, `failed`.
 */
export class Canvas extends Emitter {
  id = null;
  text = own.get('text') ?? '';
  revision = 0;
  settings = {};
  stages = [];
  /** SHA-256 of the start picture, where there is one. */
  initImage = null;
  /** Revision of the newest frame that came. */
  shown = 0;
  #last = null;
  /** Whether the daemon has not yet heard of the text. */
  #unsent = own.get('unsent') === true;
  #sending = null;
  #pending = {};
  #changing = false;
  /** When each of our own revisions was typed. */
  #typed = new Map();
  /** The start picture's bytes, for the case that the daemon forgets. */
  #start = null;

  /** Follows the canvas for as long as the page is there. */
  async follow() {
    let pause = PAUSES.first;
    for (;;) {
      try {
        await this.#find();
        for await (const event of events('GET', `/canvases/${this.id}/events`, { after: this.#last })) {
          pause = PAUSES.first;
          this.#last = event.id ?? this.#last;
          this.#receive(event);
        }
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        if (error.status === 404) this.#last = null;
        else if (!error.isLoss && error.status !== 401) this.emit('refused', error);
      }
      await sleep(pause);
      pause = Math.min(pause * 2, PAUSES.longest);
    }
  }

  // Typing

  type(text) {
    this.text = text;
    this.revision += 1;
    this.#mark(true);
    this.#typed.set(this.revision, performance.now());
    this.#typed.delete(this.revision - 64);
    own.set('text', text);
    this.#push();
  }

  /** Milliseconds since the key that made a revision; `null` for another window's. */
  since(revision) {
    const typed = this.#typed.get(revision);
    return typed === undefined ? null : performance.now() - typed;
  }

  /** Sends the newest text; one that is still on its way is dropped for it. */
  async #push() {
    this.#sending?.abort();
    if (!this.id) return;
    const sending = this.#sending = new AbortController();
    const mine = { text: this.text, revision: this.revision };
    try {
      const newest = await call('PUT', `/canvases/${this.id}/prompt`, mine, { signal: sending.signal });
      if (this.#sending !== sending) return;
      if (newest.revision === mine.revision && newest.text === mine.text) {
        this.#mark(false);
      } else {
        // Another window counted as far: who typed last is right.
        this.#typed.set(newest.revision + 1, this.#typed.get(mine.revision));
        this.revision = newest.revision + 1;
        this.#push();
      }
    } catch (error) {
      if (wasAborted(error)) return;
      if (error.isLoss) setTimeout(() => { if (this.#sending === sending && this.#unsent) this.#push(); }, PAUSES.longest);
      if (error.isLoss || error.status === 404 || error.status === 401) return;
      this.#mark(false);
      this.emit('refused', error);
    }
  }

  #mark(isUnsent) {
    this.#unsent = isUnsent;
    own.set('unsent', isUnsent);
  }

  /** Takes what another window typed, unless this one has something newer to say. */
  async refresh() {
    if (!this.id || this.#unsent) return;
    try {
      this.#meet(await call('GET', `/canvases/${this.id}`));
    } catch { /* The stream says what is wrong. */ }
  }

  #meet(canvas) {
    if (this.#unsent) return;
    const { text, revision } = canvas.prompt;
    if (revision < this.revision || (revision === this.revision && text === this.text)) return;
    this.revision = revision;
    if (text === this.text) return;
    this.text = text;
    own.set('text', text);
    this.emit('text', text);
  }

  // Settings

  /** Changes what is given; changes that come meanwhile go together. */
  async change(settings) {
    Object.assign(this.#pending, settings);
    if ('init_image' in settings) this.#start = settings.init_image || null;
    if (this.#changing) return;
    this.#changing = true;
    while (Object.keys(this.#pending).length) {
      const change = this.#pending;
      this.#pending = {};
      try {
        this.#adopt(await call('PATCH', `/canvases/${this.id}`, change));
      } catch (error) {
        if (!error.isLoss) this.emit('refused', error);
        this.emit('settings');
      }
    }
    this.#changing = false;
  }

  #adopt(canvas) {
    this.settings = canvas.settings;
    this.stages = canvas.stages;
    this.initImage = canvas.init_image ?? null;
    if (!this.initImage) this.#start = null;
    own.set('settings', canvas.settings);
    this.emit('settings');
  }

  // Pictures

  /** Keeps a frame, or (`null`) the settled picture of the text. */
  keep(frame, conversation) {
    const body = {};
    if (frame) body.frame = frame;
    if (conversation) body.conversation = conversation;
    return call('POST', `/canvases/${this.id}/commit`, body);
  }

  timeline() { return call('GET', `/canvases/${this.id}/frames`); }

  frameFile(number) { return file(`/canvases/${this.id}/frames/${number}`); }

  savedFile(number, format) { return file(`/canvases/${this.id}/frames/${number}?format=${format}`); }

  // Finding it, and what comes

  /** The canvas that all windows share, or a new one with what this one knows. */
  async #find() {
    const canvas = await exclusively('canvas', async () => {
      const id = await agreement.get('canvas');
      if (id) {
        try {
          return await call('GET', `/canvases/${encodeURIComponent(id)}`);
        } catch (error) {
          if (error.status !== 404) throw error;
        }
      }
      const settings = { ...(own.get('settings') ?? {}) };
      if (this.#start) settings.init_image = this.#start;
      else delete settings.strength;
      const made = await call('POST', '/canvases', { settings, ...(this.text ? { text: this.text } : {}) });
      await agreement.set('canvas', made.id);
      return made;
    });
    const before = { ...own.get('settings'), ...(this.#start ? { init_image: this.#start } : {}) };
    const isAnother = canvas.id !== this.id;
    if (isAnother) this.#begin(canvas);
    else if (this.#unsent && canvas.prompt.revision >= this.revision) this.revision = canvas.prompt.revision + 1;
    this.#adopt(canvas);
    if (this.#unsent) this.#push();
    else this.#meet(canvas);
    // A window that was opened after the daemon was started anew may have made it, knowing nothing of this one.
    if (isAnother && this.#isUntouched(canvas) && Object.keys(before).length) this.change(before);
  }

  #isUntouched(canvas) { return canvas.prompt.revision === 0 && !Object.keys(canvas.settings).length; }

  #begin(canvas) {
    this.id = canvas.id;
    this.#last = null;
    this.shown = 0;
    this.#typed.clear();
    const isSame = canvas.prompt.text === this.text;
    if (canvas.prompt.revision === 0 && !isSame) this.#mark(true);
    // What was typed here and not sent goes before what the canvas has.
    this.revision = canvas.prompt.revision + (this.#unsent && !isSame ? 1 : 0);
    if (isSame) this.#mark(false);
    this.emit('begin');
  }

  #receive({ name, data }) {
    switch (name) {
      case 'canvas':
        this.#adopt(data);
        this.#meet(data);
        break;
      case 'frame':
        // What was painted of an older text is never shown after a newer one's.
        if (data.revision < this.shown) return;
        this.shown = data.revision;
        this.emit('frame', data);
        break;
      default: this.emit(name, data);
    }
    if (data.revision > this.revision) this.refresh();
  }
}
