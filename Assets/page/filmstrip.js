/** The timeline: every frame is a recipe, and can be brought back exactly. */
import { byId, el } from './dom.js';
import { shared } from './state.js';
import { hold } from './stage.js';

/** How many frames are in the strip; the daemon knows more of them. */
const LIMIT = 160;

/** One transparent point. */
const BLANK = 'data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==';

const strip = byId('strip');

export class Filmstrip {
  #canvas;
  #recipes = new Map();
  #select;
  #sight = new IntersectionObserver(seen => {
    for (const { target, isIntersecting } of seen) if (isIntersecting) this.#fetch(target);
  }, { root: strip, rootMargin: '200px' });
  /** Number of the frame that was brought back; `null` while the picture follows the text. */
  selected = null;

  /** `select` is called with the number of the frame to bring back, or `null` to follow the text again. */
  constructor(canvas, select) {
    this.#canvas = canvas;
    this.#select = select;
    strip.addEventListener('click', event => {
      const item = event.target.closest('li');
      if (item) this.choose(Number(item.dataset.frame));
    });
  }

  /** Begins with the frames that the canvas has. */
  async begin() {
    strip.replaceChildren();
    this.#recipes.clear();
    this.selected = null;
    await this.#read();
    for (const entry of [...this.#recipes.values()].slice(-LIMIT)) {
      if (!this.#item(entry.number)) this.#insert(entry.number, entry.stage);
    }
    this.#markKept();
    this.follow();
  }

  /** Adds a frame that came; returns the address of its picture. */
  add(frame) {
    const known = this.#item(frame.number)?.firstElementChild;
    if (known?.src.startsWith('blob:')) return known.src;
    const url = hold(frame.data, frame.format);
    if (!known) this.#insert(frame.number, frame.stage, url);
    else known.src = url;
    this.follow();
    while (strip.childElementCount > LIMIT) this.#drop(strip.firstElementChild);
    return url;
  }

  /** Shows the end of the strip, unless an earlier frame was brought back. */
  follow() {
    if (this.selected === null) strip.scrollLeft = strip.scrollWidth;
  }

  /** A frame's entry in the timeline, with its recipe. */
  async entry(number) {
    if (!this.#recipes.has(number)) await this.#read();
    return this.#recipes.get(number);
  }

  /** Steps through the frames; past the newest one it follows the text again. */
  move(by) {
    const items = [...strip.children];
    if (!items.length) return;
    const place = this.selected === null ? items.length - 1 : items.findIndex(item => item.dataset.frame == this.selected);
    const next = place + by;
    if (next >= items.length) this.choose(null);
    else this.choose(Number(items[Math.max(0, next)].dataset.frame));
  }

  choose(number) {
    this.selected = number;
    for (const item of strip.children) item.setAttribute('aria-selected', String(item.dataset.frame == number));
    const item = number === null ? null : this.#item(number);
    if (item) {
      strip.setAttribute('aria-activedescendant', item.id);
      item.scrollIntoView({ block: 'nearest', inline: 'nearest' });
    } else {
      strip.removeAttribute('aria-activedescendant');
    }
    this.#select(number);
  }

  /** Marks a frame as kept. */
  keep(number) {
    const kept = this.#kept();
    shared.set('kept', { canvas: this.#canvas.id, frames: [...new Set([...kept, number])] });
    this.#markKept();
  }

  #kept() {
    const kept = shared.get('kept');
    return kept?.canvas === this.#canvas.id ? kept.frames : [];
  }

  #markKept() {
    for (const number of this.#kept()) {
      const item = this.#item(number);
      item?.classList.add('kept');
      item?.setAttribute('aria-label', `${this.#name(number, item.dataset.stage)}, kept`);
    }
  }

  async #read() {
    const { frames } = await this.#canvas.timeline();
    for (const entry of frames) this.#recipes.set(entry.number, entry);
  }

  #item(number) { return byId(`frame-${number}`); }

  #name(number, stage) { return `Frame ${number}, ${stage}`; }

  /** Puts a frame at its place; one without an address is fetched once it comes into sight. */
  #insert(number, stage, url) {
    const picture = el('img', { alt: '', src: url ?? BLANK, decoding: 'async', draggable: 'false' });
    const item = el('li', {
      id: `frame-${number}`, role: 'option', class: stage === 'settled' ? 'settled' : null,
      'aria-selected': 'false', 'aria-label': this.#name(number, stage), data: { frame: number, stage },
    }, picture);
    // Frames that came while the timeline was read stand at its end already.
    const after = [...strip.children].find(other => Number(other.dataset.frame) > number);
    strip.insertBefore(item, after ?? null);
    if (!url) this.#sight.observe(item);
  }

  async #fetch(item) {
    this.#sight.unobserve(item);
    const picture = item.firstElementChild;
    try {
      const url = URL.createObjectURL(await this.#canvas.frameFile(item.dataset.frame));
      if (picture.src === BLANK) picture.src = url;
      else URL.revokeObjectURL(url);
    } catch { /* Its place stays empty; choosing it tells why. */ }
  }

  #drop(item) {
    const url = item.firstElementChild.src;
    if (url.startsWith('blob:')) URL.revokeObjectURL(url);
    item.remove();
  }
}
