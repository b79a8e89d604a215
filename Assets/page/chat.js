/** The conversation that is open: messages, answers as they are written, branches. */
import { ApiError, call, events, wasAborted } from './api.js';
import { byId, debounce, el, grow, sleep } from './dom.js';
import { edit, element, write } from './message.js';
import { Emitter, own } from './state.js';
import { complain } from './toast.js';

const list = byId('messages');
const field = byId('message');

/** Whether a message is what was typed for a picture of the canvas, which the next message shows. */
const isPrompt = (messages, place) =>
  Boolean(messages[place]?.content.startsWith('/imagine ') && messages[place + 1]?.picture);

/** Emits `changed` when a conversation has a new title or place, `answering` with whether an answer is written. */
export class Chat extends Emitter {
  /** The open conversation; `null` for one that begins with the next message. */
  conversation = null;
  messages = [];
  #answer = null;
  /** Whether the end was in sight when somebody last scrolled. */
  #follows = true;
  #paint;
  #handlers = {
    edit: (message, text) => this.#send({ content: text, edits: message.id }),
    regenerate: message => this.#send({ regenerates: message.id }),
    step: (message, by) => this.#step(message, by),
    paint: prompt => this.#paint(prompt),
  };

  /** `paint` takes the words of a picture back to the canvas. */
  constructor(paint) {
    super();
    this.#paint = paint;
    field.value = own.get('message') ?? '';
    const ahead = debounce(150, () => this.#readAhead());
    field.addEventListener('input', () => {
      own.set('message', field.value);
      this.#fit();
      ahead();
    });
    field.addEventListener('keydown', event => {
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.submit();
    });
    byId('composer').addEventListener('submit', event => {
      event.preventDefault();
      this.submit();
    });
    byId('stop').addEventListener('click', () => this.stop());
    list.addEventListener('scroll', () => { this.#follows = this.#isAtEnd(); });
    // A picture has its height only once it is there, and the window may change its own.
    const follow = () => { if (this.#follows) this.#scroll(); };
    list.addEventListener('load', follow, true);
    new ResizeObserver(follow).observe(list);
    this.#fit();
  }

  get isAnswering() { return this.#answer !== null; }

  /** Opens a conversation by its id; `null` begins a new one. */
  async open(id) {
    if (this.isAnswering && id !== this.conversation) this.stop();
    this.conversation = id;
    own.set('conversation', id);
    if (!id) this.#show(null, []);
    else await this.reload();
  }

  /** Reads the open conversation again. */
  async reload() {
    const id = this.conversation;
    if (!id || this.isAnswering) return;
    try {
      const { conversation, messages } = await call('GET', `/conversations/${encodeURIComponent(id)}`);
      if (id !== this.conversation || this.isAnswering) return;
      if (conversation.erased_at) await this.open(null);
      else this.#show(conversation, messages);
    } catch (error) {
      if (error.status === 404) await this.open(null);
      else if (!error.isLoss && error.status !== 401) complain(error);
    }
  }

  /** The id of the open conversation, which is made where there is none. */
  async ensure() {
    if (!this.conversation) {
      const made = await call('POST', '/conversations', {});
      this.conversation = made.id;
      own.set('conversation', made.id);
    }
    return this.conversation;
  }

  submit() {
    const content = field.value;
    if (!content.trim() || this.isAnswering) return;
    this.#send({ content }, () => {
      field.value = '';
      own.set('message', null);
      this.#fit();
    });
  }

  /** Stops the answer; what was said until then stays. */
  stop() { this.#answer?.abort(); }

  /** Edits the last thing that was said. */
  editLast() {
    const message = this.messages.findLast((one, place) => one.role === 'user' && !isPrompt(this.messages, place));
    const item = message && this.#item(message.id);
    if (item && !this.isAnswering) edit(item, message, this.#handlers);
  }

  /** Has the last answer given again. */
  regenerateLast() {
    const message = this.messages.at(-1);
    if (message?.role === 'assistant' && !isPrompt(this.messages, this.messages.length - 2)) this.#send({ regenerates: message.id });
  }

  /** Shows another branch of the last message that has several. */
  stepLast(by) {
    const message = this.messages.findLast(one => one.sibling_count > 1);
    if (message) this.#step(message, by);
  }

  // What is shown

  #item(id) { return list.querySelector(`[data-id="${CSS.escape(id)}"]`); }

  #show(conversation, messages) {
    const isAtEnd = this.#isAtEnd() || messages.length !== this.messages.length;
    this.messages = messages;
    byId('chat-title').textContent = conversation?.title || 'New conversation';
    list.replaceChildren(...messages.map((message, place) =>
      element(message, this.#handlers, { isPrompt: isPrompt(messages, place), isPainted: isPrompt(messages, place - 1) })));
    byId('chat-empty').hidden = messages.length > 0;
    if (isAtEnd) this.#scroll();
  }

  #isAtEnd() { return list.scrollHeight - list.scrollTop - list.clientHeight < 80; }

  #scroll() { list.scrollTop = list.scrollHeight; }

  #fit() {
    grow(field);
    byId('send').disabled = !field.value.trim();
  }

  // Answers

  async #send(draft, whenSent = () => {}) {
    if (this.isAnswering) return;
    const answer = this.#answer = new AbortController();
    this.#mark(true);
    let failure = null;
    try {
      const id = await this.ensure();
      await this.#follow(events('POST', `/conversations/${id}/messages`, { body: draft, signal: answer.signal }), draft, whenSent);
    } catch (error) {
      if (!(error instanceof ApiError) && !wasAborted(error)) throw error;
      if (!wasAborted(error)) failure = error;
    } finally {
      this.#answer = null;
      this.#mark(false);
    }
    await this.#settle();
    if (failure) complain(failure);
    this.emit('changed');
  }

  async #follow(stream, draft, whenSent) {
    let text = '';
    let item = null;
    let isDue = false;
    const draw = () => {
      isDue = false;
      const follows = this.#isAtEnd();
      write(item, text);
      if (follows) this.#scroll();
    };
    const tell = sentence => item?.querySelector('.body').replaceChildren(el('p', { class: 'waiting' }, sentence));
    for await (const { name, data } of stream) {
      switch (name) {
        case 'accepted':
          whenSent();
          item = this.#begin(draft, data);
          tell('Thinking');
          break;
        case 'queued': tell(data.ahead === 1 ? 'One request is before this' : `${data.ahead} requests are before this`); break;
        case 'loading': tell(`Loading the model: ${Math.round(data.fraction * 100)} %`); break;
        case 'token':
          text += data.text;
          if (!isDue) requestAnimationFrame(draw);
          isDue = true;
          break;
        case 'painting': tell(`Painting ${data.prompt}: step ${data.step} of ${data.steps}`); break;
        case 'notice': complain(data); break;
        case 'failed': throw new ApiError(500, data.error.code, data.error.message);
        case 'completed': byId('live').textContent = `Answer: ${data.message.content.slice(0, 500)}`; break;
        default: break;
      }
    }
  }

  /** Shows what was said, and an answer that is still empty. */
  #begin(draft, { message, answer }) {
    const parent = draft.edits ?? draft.regenerates;
    const place = parent ? this.messages.findIndex(one => one.id === parent) : -1;
    if (place >= 0) {
      // Another branch goes on from before it; of a person's own message that is answered again, from behind it.
      const isKept = draft.regenerates && this.messages[place].role === 'user';
      for (const gone of this.messages.slice(isKept ? place + 1 : place)) this.#item(gone.id)?.remove();
    }
    if (message) list.append(element(message, this.#handlers));
    const item = el('article', { class: 'message assistant writing', 'aria-label': 'Inkling', data: { id: answer } },
      el('div', { class: 'body prose' }));
    list.append(item);
    byId('chat-empty').hidden = true;
    this.#scroll();
    return item;
  }

  /** Reads the conversation until the daemon has written down how the answer ended. */
  async #settle() {
    for (const pause of [0, 60, 250, 1000]) {
      await sleep(pause);
      await this.reload();
      const last = this.messages.at(-1);
      if (!last || last.role === 'user' || last.finish || last.picture) return;
    }
  }

  #mark(isAnswering) {
    byId('send').hidden = isAnswering;
    byId('stop').hidden = !isAnswering;
    this.emit('answering', isAnswering);
  }

  async #step(message, by) {
    if (this.isAnswering) return;
    try {
      const path = `/conversations/${this.conversation}`;
      const { messages } = await call('GET', `${path}/messages`);
      const siblings = messages.filter(one => (one.parent ?? null) === (message.parent ?? null) && one.role === message.role);
      const next = siblings[siblings.findIndex(one => one.id === message.id) + by];
      if (!next) return;
      await call('PATCH', path, { head: next.id });
      await this.reload();
    } catch (error) {
      complain(error);
    }
  }

  /** What is being typed can be evaluated before it is sent. */
  async #readAhead() {
    if (!this.conversation || this.isAnswering) return;
    try {
      await call('PUT', `/conversations/${this.conversation}/draft`, { text: field.value });
    } catch { /* The message goes the usual way then. */ }
  }
}
