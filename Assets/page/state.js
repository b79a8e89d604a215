/** What the page remembers, and a way for its parts to hear of each other. */

/** Tells its listeners by name: `emitter.on('frame', show)`, `emitter.emit('frame', frame)`. */
export class Emitter {
  #listeners = new Map();

  on(name, listener) {
    this.#listeners.set(name, [...(this.#listeners.get(name) ?? []), listener]);
  }

  emit(name, value) {
    for (const listener of this.#listeners.get(name) ?? []) listener(value);
  }
}

/** A value in one of the browser's stores; pages work without them too. */
function memory(store) {
  return {
    get(name) {
      try {
        return JSON.parse(store().getItem(`inkling.${name}`));
      } catch {
        return null;
      }
    },
    set(name, value) {
      try {
        if (value === null || value === undefined) store().removeItem(`inkling.${name}`);
        else store().setItem(`inkling.${name}`, JSON.stringify(value));
      } catch { /* Then it is forgotten with the page. */ }
    },
  };
}

/** Shared by all windows, and kept: ids and choices, never what was written. */
export const shared = memory(() => localStorage);

/** Of this window, for as long as it is there: what was typed and not yet sent, say. */
export const own = memory(() => sessionStorage);

const FILE = 'inkling';

/** Works on the one store whose values every window sees as soon as they are written; `shared` may lag behind. */
function agreed(mode, work) {
  return new Promise((done, fail) => {
    const opening = indexedDB.open(FILE, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(FILE);
    opening.onerror = () => fail(opening.error);
    opening.onsuccess = () => {
      const transaction = opening.result.transaction(FILE, mode);
      const request = work(transaction.objectStore(FILE));
      transaction.oncomplete = () => { opening.result.close(); done(request.result ?? null); };
      transaction.onabort = () => { opening.result.close(); fail(transaction.error); };
    };
  });
}

/** What all windows have agreed on; where the browser keeps no such store, what `shared` knows. */
export const agreement = {
  get: name => agreed('readonly', store => store.get(name)).catch(() => shared.get(name)),
  set: (name, value) => agreed('readwrite', store => store.put(value, name)).catch(() => shared.set(name, value)),
};

/** Does something while no other window does the same. */
export function exclusively(name, work) {
  return navigator.locks ? navigator.locks.request(`inkling.${name}`, work) : work();
}
