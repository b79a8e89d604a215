/** Shows frames, each faded in over the one before, so that nothing flickers. */
import { byId, el } from './dom.js';

const box = byId('frames');
const stage = byId('stage');
/** Counts what is asked to be shown, so that a picture that is slow to decode comes over no newer one. */
let asked = 0;
let seen = 0;

/** A picture in base64 as the address of bytes that the page holds. */
export function hold(base64, format) {
  const binary = atob(base64);
  const bytes = new Uint8Array(binary.length);
  for (let place = 0; place < binary.length; place += 1) bytes[place] = binary.charCodeAt(place);
  return URL.createObjectURL(new Blob([bytes], { type: `image/${format}` }));
}

/** Shows a picture by its address; resolves to whether it came to be seen. */
export async function show(url, { number, revision, stage: name, description }) {
  const order = asked += 1;
  const image = el('img', { alt: '', src: url, class: name === 'settled' ? 'settled' : null });
  try {
    await image.decode();
  } catch {
    return false;
  }
  if (order < seen) return false;
  seen = order;
  box.append(image);
  // Where nobody looks, nothing is animated, and nothing ends.
  while (box.childElementCount > 4) box.firstChild.remove();
  const done = () => { while (box.firstChild !== image && image.parentNode === box) box.firstChild.remove(); };
  if (image.getAnimations().length) image.addEventListener('animationend', done, { once: true });
  else done();
  Object.assign(box.dataset, { frame: number, revision, stage: name });
  box.setAttribute('aria-label', description);
  byId('stage-empty').hidden = true;
  return true;
}

/** Says that there is nothing to see, as for an empty text. */
export function dim(isEmpty) {
  stage.classList.toggle('empty-text', isEmpty);
  byId('stage-empty').hidden = !isEmpty && box.childElementCount > 0;
}

/** Takes everything away. */
export function clear() {
  seen = asked += 1;
  box.replaceChildren();
  for (const name of Object.keys(box.dataset)) delete box.dataset[name];
  box.setAttribute('aria-label', 'No picture yet');
  byId('stage-empty').hidden = false;
}

/** The number of the frame that is seen, if it is a settled picture; `null` otherwise. */
export const settledFrame = () => (box.dataset.stage === 'settled' ? seenFrame() : null);

/** The number of the frame that is seen; `null` for none. */
export const seenFrame = () => (box.dataset.frame ? Number(box.dataset.frame) : null);
