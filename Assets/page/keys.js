/** Every action has a key; `?` shows them all. */
import { byId, el } from './dom.js';
import { shared } from './state.js';

const help = byId('help');
const single = byId('single-keys');

/** How keys are written that have no letter. */
const NAMES = { ArrowLeft: '←', ArrowRight: '→', Escape: 'Esc', ' ': 'Space' };

/** `actions` are `[keys, words, work]`, without work where others see to the key; text fields come first. */
export function listen(actions) {
  const works = new Map(actions.flatMap(([keys, , work]) => keys.map(key => [key, work])));
  byId('keys').replaceChildren(...actions.map(([keys, words]) => el('div', {},
    el('dt', {}, ...keys.flatMap((key, place) => [place ? ' ' : null, el('kbd', {}, NAMES[key] ?? key)])), el('dd', {}, words))));
  single.checked = shared.get('keys') !== false;
  single.addEventListener('change', () => shared.set('keys', single.checked));
  byId('show-help').addEventListener('click', () => help.showModal());
  document.addEventListener('keydown', event => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing || help.open) return;
    if (event.key === 'Escape' && isTyping(event.target)) {
      event.target.blur();
      byId('strip').focus({ preventScroll: true });
      return;
    }
    const isAllowed = event.key.length > 1 || event.key === '?' || single.checked;
    const work = isTyping(event.target) || !isAllowed ? null : works.get(event.key);
    // A key that presses the button it stands on does that.
    if (!work || (event.target.tagName === 'BUTTON' && [' ', 'Enter'].includes(event.key))) return;
    event.preventDefault();
    work();
  });
}

export const showHelp = () => help.showModal();

const isTyping = element => ['TEXTAREA', 'SELECT'].includes(element.tagName) || (element.tagName === 'INPUT' && element.type !== 'checkbox');
