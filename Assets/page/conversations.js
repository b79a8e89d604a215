/** The list of conversations: search, rename, delete, undo. */
import { call } from './api.js';
import { byId, debounce, el, icon } from './dom.js';
import { complain, say } from './toast.js';

const list = byId('conversations');
const empty = byId('list-empty');
const search = byId('search');
const more = byId('more-conversations');
const PEN = 'M4 16l1-4 8.500-8.500a1.800 1.800 0 0 1 2.500 2.500L7.500 14.500z';
const BIN = 'M4 6h12M8 6V4h4v2M5.500 6l.8 10.500h7.400L14.500 6';

export class Conversations {
  #chat;
  #next = null;
  #turn = 0;

  constructor(chat) {
    this.#chat = chat;
    chat.on('changed', () => this.read());
    search.addEventListener('input', debounce(150, () => this.read()));
    search.addEventListener('keydown', event => {
      if (event.key !== 'Escape' || !search.value) return;
      event.stopPropagation();
      search.value = '';
      this.read();
    });
    byId('new-conversation').addEventListener('click', () => this.begin());
    more.addEventListener('click', () => this.#readMore());
    list.addEventListener('keydown', event => this.#keys(event));
  }

  /** Begins a new conversation. */
  async begin() {
    await this.#chat.open(null);
    this.#markCurrent();
    byId('message').focus();
  }

  /** Reads the list, or what a search finds. */
  async read() {
    const turn = this.#turn += 1;
    const words = search.value.trim();
    try {
      const [items, next] = words ? [await this.#find(words), null] : await this.#page('');
      if (turn !== this.#turn) return;
      this.#next = next;
      list.replaceChildren(...items);
      more.hidden = !next;
      empty.textContent = words ? `Nothing has “${words}” in it.` : 'Conversations are kept here, on this machine.';
      empty.hidden = items.length > 0;
      this.#markCurrent();
    } catch (error) {
      if (!error.isLoss && error.status !== 401) complain(error);
    }
  }

  async #readMore() {
    const [items, next] = await this.#page(`&before=${encodeURIComponent(this.#next)}`);
    this.#next = next;
    list.append(...items);
    more.hidden = !next;
  }

  async #page(position) {
    const { conversations, next } = await call('GET', `/conversations?limit=50${position}`);
    return [conversations.map(one => this.#item(one, el('time', {}, day(one.updated_at)))), next ?? null];
  }

  async #find(words) {
    const { matches } = await call('GET', `/search?limit=50&q=${encodeURIComponent(words)}`);
    const seen = new Set();
    const first = matches.filter(({ conversation: { id } }) => !seen.has(id) && seen.add(id));
    return first.map(match => this.#item(match.conversation, snippet(match.snippet)));
  }

  #item(conversation, detail) {
    const title = conversation.title || 'Untitled';
    const open = el('button', { class: 'open', type: 'button', onclick: () => this.#open(conversation.id) },
      el('span', { class: 'title' }, title), detail);
    const act = (path, label, work) => el('button', { class: 'icon act', type: 'button', 'aria-label': `${label} “${title}”`, onclick: work }, icon(path));
    const item = el('li', { data: { id: conversation.id } }, open,
      act(PEN, 'Rename', () => this.#rename(item, conversation)), act(BIN, 'Delete', () => this.#delete(conversation)));
    return item;
  }

  async #open(id) {
    await this.#chat.open(id);
    this.#markCurrent();
    document.body.classList.remove('listing');
    byId('show-list').setAttribute('aria-expanded', 'false');
    if (document.body.dataset.view === 'picture') document.querySelector('.views [data-view=chat]').click();
  }

  #markCurrent() {
    for (const item of list.children) {
      const isCurrent = item.dataset.id === this.#chat.conversation;
      item.classList.toggle('current', isCurrent);
      item.querySelector('.open')?.toggleAttribute('aria-current', isCurrent);
    }
  }

  #rename(item, conversation) {
    const field = el('input', { type: 'text', 'aria-label': 'Title', maxlength: '200' });
    field.value = conversation.title;
    const parts = [...item.children];
    let isOver = false;
    const leave = async isWanted => {
      if (isOver) return;
      isOver = true;
      item.replaceChildren(...parts);
      parts[0].focus();
      const title = field.value.trim();
      if (!isWanted || !title || title === conversation.title) return;
      await this.#change(() => call('PATCH', `/conversations/${conversation.id}`, { title }));
      await this.#chat.reload();
    };
    field.addEventListener('keydown', event => {
      event.stopPropagation();
      if (event.key === 'Enter') leave(true);
      if (event.key === 'Escape') leave(false);
    });
    field.addEventListener('blur', () => leave(true));
    item.replaceChildren(field);
    field.select();
  }

  async #delete({ id, title }) {
    const isOpen = id === this.#chat.conversation;
    await this.#change(async () => {
      await call('DELETE', `/conversations/${id}`);
      if (isOpen) await this.#chat.open(null);
      say(`Deleted “${(title || 'Untitled').slice(0, 60)}”.`, 'Undo', () => this.#restore(id, isOpen));
    });
  }

  #restore(id, wasOpen) {
    return this.#change(async () => {
      await call('POST', `/conversations/${id}/restore`);
      if (wasOpen) await this.#chat.open(id);
    });
  }

  async #change(work) {
    try {
      await work();
      await this.read();
    } catch (error) {
      complain(error);
    }
  }

  /** Arrows go through the list; F2 renames, Delete deletes. */
  #keys(event) {
    const item = event.target.closest('li');
    if (!item || event.target.tagName === 'INPUT') return;
    const go = to => to?.querySelector('.open')?.focus();
    const [, rename, remove] = item.children;
    const keys = {
      ArrowDown: () => go(item.nextElementSibling), ArrowUp: () => go(item.previousElementSibling),
      F2: () => rename.click(), Delete: () => remove.click(),
    };
    if (!keys[event.key]) return;
    event.preventDefault();
    event.stopPropagation();
    keys[event.key]();
  }
}

/** What a search found, with its words marked. */
function snippet(text) {
  const parts = text.split(/[\u2068\u2069]/);
  return el('span', { class: 'snippet' }, ...parts.map((part, place) => (place % 2 ? el('mark', {}, part) : part)));
}

function day(time) {
  const date = new Date(time);
  const isToday = date.toDateString() === new Date().toDateString();
  return isToday ? date.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' }) : date.toLocaleDateString([], { dateStyle: 'medium' });
}
