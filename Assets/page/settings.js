/** How the canvas paints: what is changed here is painted anew at once. */
import { call } from './api.js';
import { byId, debounce, el } from './dom.js';
import { base64 } from './recipe.js';
import { complain } from './toast.js';

const panel = byId('settings');
const toggle = byId('show-settings');
const seed = byId('seed');

/** Edges of the sizes that are offered, in pixels. */
const EDGES = [128, 192, 256, 320, 384, 448, 512, 640, 768, 896, 1024];

/** Milliseconds to a key's first frame that drafts are chosen for. */
const BUDGET = { usual: 300, settledOnly: 60_000 };

export class Settings {
  #canvas;
  #models = [];
  #preview = null;
  /** What a start picture changes beside the start, as it was before. */
  #before = null;

  constructor(canvas) {
    this.#canvas = canvas;
    canvas.on('settings', () => this.#show());
    canvas.on('refused', complain);
    toggle.addEventListener('click', () => this.toggle());
    panel.addEventListener('submit', event => event.preventDefault());
    const soon = debounce(120, change => canvas.change(change));
    this.#number('seed', value => canvas.change({ seed: value }), Number.isSafeInteger);
    this.#number('steps', value => canvas.change({ steps: value }), Number.isSafeInteger);
    this.#number('guidance', value => soon({ guidance_scale: value }), Number.isFinite);
    byId('negative').addEventListener('input', event => soon({ negative_prompt: event.target.value }));
    byId('model').addEventListener('change', event => canvas.change({ model: event.target.value }));
    byId('size').addEventListener('change', event => {
      const [width, height] = event.target.value.split('x').map(Number);
      canvas.change({ width, height });
    });
    byId('strength').addEventListener('input', event => {
      this.#showStrength();
      soon({ strength: Number(event.target.value) });
    });
    byId('start-file').addEventListener('change', event => this.start(event.target.files[0]));
    byId('start-remove').addEventListener('click', () => this.start(null));
    byId('dice').addEventListener('click', () => this.dice());
    this.#acceptDrops(byId('stage'));
  }

  async begin() {
    const { models } = await call('GET', '/models');
    this.#models = models.filter(model => model.kind === 'picture');
    byId('model').replaceChildren(...this.#models.map(model => el('option', { value: model.id }, model.id)));
    this.#show();
  }

  toggle() {
    panel.hidden = !panel.hidden;
    toggle.setAttribute('aria-expanded', String(!panel.hidden));
    if (!panel.hidden) byId('model').focus();
  }

  /** Another seed, and with it another composition. */
  dice() { this.#canvas.change({ seed: crypto.getRandomValues(new Uint32Array(1))[0] }); }

  /** The next seed, or the one before. */
  turn(by) { this.#canvas.change({ seed: Math.max(0, (this.#canvas.settings.seed ?? 0) + by) }); }

  /** Paints as a frame's recipe says; a draft's size and steps are not what its settled picture has. */
  use({ stage, frame: { recipe } }) {
    const { model, width, height, steps, seed: number, scheduler, guidance_scale, negative_prompt } = recipe;
    const change = { model, seed: number, scheduler, guidance_scale, negative_prompt };
    this.#canvas.change(stage === 'settled' ? { ...change, width, height, steps } : change);
  }

  /** Starts from a picture's file, or (`null`) from nothing but noise. */
  async start(picture) {
    if (picture && !['image/png', 'image/webp'].includes(picture.type)) {
      complain({ message: 'A PNG or WebP picture can be started from; this is neither.' });
      return;
    }
    if (this.#preview) URL.revokeObjectURL(this.#preview);
    this.#preview = picture ? URL.createObjectURL(picture) : null;
    const preview = byId('start-preview');
    if (picture) preview.src = this.#preview;
    else {
      preview.removeAttribute('src');
      byId('start-file').value = '';
    }
    const strength = Number(byId('strength').value);
    // One step has no part to leave to the picture: so there are four at least, and no drafts with fewer.
    const usual = this.#canvas.stages.at(-1)?.steps ?? 1;
    this.#before ??= { steps: usual, budget: this.#canvas.settings.budget ?? BUDGET.usual };
    if (picture) {
      const steps = Math.max(4, usual);
      await this.#canvas.change({ init_image: await base64(picture), strength, steps, budget: BUDGET.settledOnly });
    } else {
      await this.#canvas.change({ init_image: '', ...this.#before });
      this.#before = null;
    }
  }

  #number(id, change, isGood) {
    byId(id).addEventListener('input', event => {
      const field = event.target;
      const value = field.valueAsNumber;
      if (isGood(value) && field.checkValidity()) change(value);
    });
  }

  /** Fields that somebody is typing in are left alone. */
  #put(id, value) {
    const field = byId(id);
    if (field !== document.activeElement || field.tagName === 'SELECT') field.value = value;
  }

  #show() {
    const { settings, stages, initImage } = this.#canvas;
    const last = stages.at(-1);
    const model = this.#models.find(one => one.id === settings.model) ?? this.#models[0];
    if (model) this.#put('model', model.id);
    const details = model?.picture_details;
    const width = settings.width ?? last?.width ?? details?.width;
    const height = settings.height ?? last?.height ?? details?.height;
    if (width) this.#showSizes(width, height, details);
    this.#put('seed', settings.seed ?? 0);
    this.#put('steps', settings.steps ?? '');
    byId('steps').placeholder = last ? String(last.steps) : '';
    this.#put('guidance', settings.guidance_scale ?? '');
    byId('guidance').placeholder = 'default';
    this.#put('negative', settings.negative_prompt ?? '');
    byId('start-remove').hidden = byId('strength-row').hidden = !initImage;
    byId('start-preview').hidden = !initImage || !this.#preview;
    if (settings.strength) this.#put('strength', settings.strength);
    this.#showStrength();
  }

  #showSizes(width, height, details) {
    const edge = Math.max(details?.width ?? 512, 256);
    const squares = EDGES.filter(one => one <= edge * 2 && one % (details?.factor ?? 8) === 0).map(one => `${one}x${one}`);
    const wide = [[3, 2], [2, 3]].map(([across, down]) => {
      const unit = Math.round((details?.width ?? 512) / 3 / 32) * 32;
      return `${unit * across}x${unit * down}`;
    });
    const sizes = [...new Set([`${width}x${height}`, ...squares, ...wide])];
    byId('size').replaceChildren(...sizes.map(size => el('option', { value: size }, size.replace('x', ' × '))));
    byId('size').value = `${width}x${height}`;
  }

  #showStrength() {
    byId('strength-value').textContent = `${Math.round(Number(byId('strength').value) * 100)} %`;
  }

  #acceptDrops(target) {
    const mark = isOver => target.classList.toggle('dropping', isOver);
    // Anywhere else the browser would leave the page for the picture.
    for (const name of ['dragover', 'drop']) document.addEventListener(name, event => event.preventDefault());
    target.addEventListener('dragover', event => mark(event.dataTransfer.types.includes('Files')));
    target.addEventListener('dragleave', event => { if (!target.contains(event.relatedTarget)) mark(false); });
    target.addEventListener('drop', event => {
      mark(false);
      if (event.dataTransfer.files[0]) this.start(event.dataTransfer.files[0]);
    });
  }
}
