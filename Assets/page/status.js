/** The quiet lines: how the daemon is reached, what is being painted, and how long it took. */
import { link } from './api.js';
import { byId } from './dom.js';

const line = byId('status');
const text = byId('status-text');
const times = byId('status-times');
const connection = byId('connection');
const NAMES = { connecting: 'Connecting', open: 'Connected', lost: 'Connection lost. Trying again.', locked: 'Locked' };

/** What the line said before the connection was lost. */
let before = null;

link.on('change', state => {
  connection.dataset.state = state;
  connection.textContent = NAMES[state];
  byId('locked').hidden = state !== 'locked';
  if (state === 'lost') {
    before ??= [text.textContent, line.dataset.state];
    put(NAMES.lost, 'failed');
  } else if (before) {
    if (line.dataset.state === 'failed') put(...before);
    before = null;
  }
});

const milliseconds = value => (value < 1000 ? `${Math.round(value)} ms` : `${(value / 1000).toFixed(1)} s`);

function put(sentence, state = '') {
  line.dataset.state = state;
  text.textContent = sentence;
}

/** Writes what happens on a canvas. */
export class StatusLine {
  #canvas;
  #answering = false;

  constructor(canvas) {
    this.#canvas = canvas;
    canvas.on('loading', ({ fraction }) => put(`Loading the model: ${Math.round(fraction * 100)} %`, 'loading'));
    // The stages are known once the model is there and measured.
    canvas.on('settings', () => {
      if (line.dataset.state === 'loading' && canvas.stages.length) this.wait();
    });
    canvas.on('notice', ({ message }) => put(message));
    canvas.on('progress', ({ stage, step, steps }) => put(`Painting the ${NOUN[stage]}: step ${step} of ${steps}`, 'busy'));
    canvas.on('superseded', () => put('Beginning anew with what you typed', 'busy'));
    canvas.on('failed', ({ error }) => put(error.message, 'failed'));
    canvas.on('settled', ({ frame }) => this.#settle(frame));
  }

  /** Something was typed. */
  wait() {
    if (!this.#canvas.text.trim()) put('Ready');
    else put(this.#answering ? 'Waiting: an answer is being written too' : 'Waiting for the first frame', 'busy');
  }

  /** A frame is seen, so many milliseconds after its key. */
  frame(frame, sinceKey) {
    const { stage, width, height, step, steps, timings } = frame;
    const saved = steps - step;
    const parts = [`key to frame ${milliseconds(sinceKey ?? timings.since_key)}`, `${width} × ${height}`];
    parts.push(saved > 0 ? `${step} of ${steps} steps, ${saved} saved` : `${steps} ${steps === 1 ? 'step' : 'steps'}`);
    times.textContent = parts.join(' · ');
    if (stage !== 'settled') put(`${TITLE[stage]}; the next one waits for a pause`, 'busy');
  }

  /** Whether an answer is being written, with which frames share the machine. */
  answering(isSo) { this.#answering = isSo; }

  #settle(frame) {
    put(frame ? 'Settled' : 'Ready', 'settled');
    if (!frame) times.textContent = '';
    byId('live').textContent = frame ? `The picture of “${this.#canvas.text.slice(0, 120)}” is settled.` : '';
  }
}

const NOUN = { draft: 'draft', better: 'better draft', settled: 'settled picture' };
const TITLE = { draft: 'A draft', better: 'A better draft', settled: 'Settled' };
