/** One message as it stands in a conversation. */
import { file } from './api.js';
import { copy, el, grow } from './dom.js';
import { render } from './markdown.js';
import { say } from './toast.js';

const ENDINGS = {
  length: 'Cut at its longest', cancelled: 'Stopped', failed: 'Failed', interrupted: 'Interrupted: the daemon ended',
};

/**
 * `isPrompt`: what a person typed for a picture of the canvas; `isPainted`: that picture. One that the model was asked for
 * is an answer like others. `handlers` has `edit(message, text)`, `regenerate(message)`, `step(message, by)` and `paint(prompt)`.
 */
export function element(message, handlers, { isPrompt = false, isPainted = false } = {}) {
  const body = el('div', { class: 'body' });
  const item = el('article', {
    class: `message ${message.role}${isPrompt ? ' asked' : ''}`, data: { id: message.id },
    'aria-label': message.role === 'user' ? 'You' : 'Inkling',
  }, body);
  if (message.picture) showPicture(body, message);
  else write(item, isPrompt ? message.content.replace(/^\/imagine /, '') : message.content);
  const meta = el('div', { class: 'meta' });
  const ending = ENDINGS[message.finish];
  if (ending) meta.append(el('span', { class: 'ending' }, message.error ? `${ending}: ${message.error}` : ending));
  if (message.sibling_count > 1) meta.append(...branches(message, handlers));
  const button = (name, work, label) => meta.append(el('button', { type: 'button', onclick: work, 'aria-label': label }, name));
  if (message.picture) {
    button('Paint on', () => handlers.paint(message.content), 'Take these words to the canvas');
    if (!isPainted) button('Again', () => handlers.regenerate(message), 'Answer again, as a branch');
  } else {
    button('Copy', async () => say((await copy(message.content)) ? 'Copied.' : 'The browser did not allow it.'));
    if (message.role === 'assistant') button('Again', () => handlers.regenerate(message), 'Answer again, as a branch');
    else if (!isPrompt) button('Edit', () => edit(item, message, handlers), 'Edit, as a branch');
  }
  item.append(meta);
  return item;
}

/** Writes a message's text: a person's as it is, a model's as Markdown. */
export function write(item, text) {
  const body = item.querySelector('.body');
  if (item.classList.contains('user')) {
    body.textContent = text;
    return;
  }
  body.classList.add('prose');
  body.replaceChildren(render(text));
}

/** Addresses of pictures that were fetched, so that one that is shown again is there at once. */
const fetched = new Map();

async function showPicture(body, { content, picture }) {
  const image = el('img', { class: 'shown', alt: `Picture: ${content}`, data: { picture }, src: fetched.get(picture) });
  body.append(image);
  if (image.src) return;
  try {
    image.src = URL.createObjectURL(await file(`/pictures/${encodeURIComponent(picture)}`));
    fetched.set(picture, image.src);
    if (fetched.size <= 64) return;
    const [oldest, url] = fetched.entries().next().value;
    fetched.delete(oldest);
    URL.revokeObjectURL(url);
  } catch {
    image.replaceWith(el('p', { class: 'waiting' }, 'The picture is no longer there.'));
  }
}

function branches(message, { step }) {
  const { sibling_count: count, sibling_index: index } = message;
  const arrow = (mark, by, label) => el('button', {
    type: 'button', 'aria-label': label, disabled: !(index + by >= 0 && index + by < count), onclick: () => step(message, by),
  }, mark);
  return [arrow('‹', -1, 'The branch before'), el('span', { class: 'branch' }, `${index + 1} of ${count}`), arrow('›', 1, 'The next branch')];
}

/** Puts a field in the place of a message's text. */
export function edit(item, message, handlers) {
  const body = item.querySelector('.body');
  const meta = item.querySelector('.meta');
  const area = el('textarea', { rows: '1', 'aria-label': 'Edit the message' });
  area.value = message.content;
  const leave = () => {
    row.remove();
    area.remove();
    body.hidden = meta.hidden = false;
  };
  const send = () => {
    if (area.value.trim()) handlers.edit(message, area.value);
  };
  const row = el('div', { class: 'edit-row' },
    el('button', { type: 'button', class: 'quiet', onclick: leave }, 'Cancel'),
    el('button', { type: 'button', class: 'primary', onclick: send }, 'Send'));
  area.addEventListener('input', () => grow(area));
  area.addEventListener('keydown', event => {
    if (event.key === 'Escape') {
      event.stopPropagation();
      leave();
    } else if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      send();
    }
  });
  body.hidden = meta.hidden = true;
  item.append(area, row);
  grow(area);
  area.focus();
}
