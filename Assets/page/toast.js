/** One sentence at the bottom, with one thing that can be done about it. */
import { byId } from './dom.js';

const toast = byId('toast');
const button = byId('toast-action');
let action = null;
let timer = 0;

/** Shows a sentence; one with an action stays until it is dismissed or another one comes. */
export function say(text, name, work) {
  clearTimeout(timer);
  action = work ?? null;
  byId('toast-text').textContent = text;
  button.textContent = name ?? '';
  button.hidden = !work;
  toast.hidden = false;
  if (!work) timer = setTimeout(dismiss, 5000);
}

export function dismiss() {
  clearTimeout(timer);
  action = null;
  toast.hidden = true;
}

/** Does what the toast offers; false where it offers nothing. */
export function act() {
  const work = action;
  if (!work) return false;
  dismiss();
  work();
  return true;
}

/** Says what went wrong. */
export const complain = error => say(error.message);

button.addEventListener('click', act);
byId('toast-close').addEventListener('click', dismiss);
