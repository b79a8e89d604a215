/** Puts the parts of the page together. */
import { link } from './api.js';
import { Canvas } from './canvas.js';
import { Chat } from './chat.js';
import { Conversations } from './conversations.js';
import { byId, copy, grow } from './dom.js';
import { Filmstrip } from './filmstrip.js';
import { listen, showHelp } from './keys.js';
import { commandLine, fileName, save } from './recipe.js';
import { Settings } from './settings.js';
import * as stage from './stage.js';
import { own } from './state.js';
import { StatusLine } from './status.js';
import { act, complain, say } from './toast.js';

const prompt = byId('prompt');
const canvas = new Canvas();
const status = new StatusLine(canvas);
const settings = new Settings(canvas);
const chat = new Chat(words => type(words, true));
const conversations = new Conversations(chat);
const strip = new Filmstrip(canvas, recall);
/** The newest frame with its address, to go back to from an earlier one. */
let newest = null;

// The prompt

prompt.value = canvas.text;
prompt.addEventListener('input', () => type(prompt.value));
prompt.addEventListener('keydown', event => {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  keep();
});

function type(text, isNew = false) {
  if (isNew) prompt.value = text;
  if (strip.selected !== null) strip.choose(null);
  canvas.type(text);
  fit();
  status.wait();
}

function fit() {
  grow(prompt);
  const isEmpty = !prompt.value.trim();
  stage.dim(isEmpty);
  byId('keep').disabled = isEmpty;
  for (const id of ['save-png', 'save-webp', 'copy-command']) byId(id).disabled = stage.seenFrame() === null;
}

// The canvas

canvas.on('text', text => {
  prompt.value = text;
  fit();
});
canvas.on('begin', () => {
  newest = null;
  byId('stage').dataset.canvas = canvas.id;
  stage.clear();
  prompt.value = canvas.text;
  fit();
  strip.begin().catch(error => { if (!error.isLoss) complain(error); });
});
canvas.on('frame', async frame => {
  const url = strip.add(frame);
  const description = `${frame.stage === 'settled' ? 'Picture' : 'Draft'} of “${canvas.text.slice(0, 200)}”`;
  const next = { frame, url, description };
  newest = next;
  if (strip.selected !== null) return;
  const isSeen = await stage.show(url, { ...frame, description });
  // What is decoded late must not be told after what came meanwhile.
  if (isSeen && newest === next) status.frame(frame, canvas.since(frame.revision));
  fit();
});

// Another window keeps pictures too.
canvas.on('committed', ({ messages }) => {
  if (messages.some(message => message.conversation === chat.conversation)) chat.reload();
});

/** Shows an earlier frame, or (`null`) the newest one again. */
async function recall(number) {
  byId('recall').hidden = number === null;
  try {
    if (number === null) {
      if (newest) await stage.show(newest.url, { ...newest.frame, description: newest.description });
      return;
    }
    const entry = await strip.entry(number);
    const { recipe } = entry.frame;
    const words = `${entry.stage} · ${recipe.width} × ${recipe.height} · seed ${recipe.seed}`;
    byId('recall-text').textContent = `${number}: “${recipe.prompt}” · ${words}`;
    const url = URL.createObjectURL(await canvas.frameFile(number));
    const isShown = strip.selected === number && await stage.show(url, {
      number, revision: entry.revision, stage: entry.stage, description: `Frame ${number}: “${recipe.prompt}”`,
    });
    if (isShown) fit();
    URL.revokeObjectURL(url);
  } catch (error) {
    complain(error);
  }
}

// What can be done with a picture

/** The frame that things are done to: the one that is brought back, or the one that is seen. */
const current = () => strip.selected ?? stage.seenFrame();

/** Keeps the frame that was brought back, or the settled picture of the text, in the conversation too. */
async function keep() {
  const frame = strip.selected;
  if (frame === null && !prompt.value.trim()) return;
  byId('keep').disabled = true;
  try {
    const { picture } = await canvas.keep(frame, await chat.ensure());
    const kept = frame ?? stage.settledFrame();
    if (kept !== null) strip.keep(kept);
    say(picture.is_private ? 'Kept in memory only: it could not be saved.' : 'Kept, in the history and in the conversation.');
    await chat.reload();
    conversations.read();
  } catch (error) {
    complain(error);
  }
  fit();
}

async function download(format) {
  const number = current();
  if (number === null) return;
  try {
    const [blob, entry] = await Promise.all([canvas.savedFile(number, format), strip.entry(number)]);
    save(blob, fileName(entry.frame.recipe, format));
  } catch (error) {
    complain(error);
  }
}

async function copyCommand() {
  const entry = current() === null ? null : await strip.entry(current()).catch(() => null);
  if (!entry) return;
  const isCopied = await copy(commandLine(entry, canvas.stages.at(-1)));
  say(isCopied ? 'Copied the command that paints this picture.' : 'The browser did not allow it.');
}

/** Goes on from the frame that was brought back: its words, its seed, its settings. */
async function useFrame() {
  if (strip.selected === null) return;
  const entry = await strip.entry(strip.selected);
  settings.use(entry);
  type(entry.frame.recipe.prompt, true);
  prompt.focus();
}

// Buttons and keys

const onClick = (id, work) => byId(id).addEventListener('click', work);
onClick('keep', keep);
onClick('save-png', () => download('png'));
onClick('save-webp', () => download('webp'));
onClick('copy-command', copyCommand);
onClick('use-frame', useFrame);
onClick('leave-frame', () => strip.choose(null));
onClick('show-list', () => showList());
for (const button of document.querySelectorAll('.views button')) {
  button.addEventListener('click', () => view(button.dataset.view));
}

function view(name) {
  document.body.dataset.view = name;
  for (const button of document.querySelectorAll('.views button')) {
    button.setAttribute('aria-pressed', String(button.dataset.view === name));
  }
  if (name === 'picture') fit();
}

function showList(isShown = !document.body.classList.contains('listing')) {
  document.body.classList.toggle('listing', isShown);
  byId('show-list').setAttribute('aria-expanded', String(isShown));
  if (isShown) byId('search').focus();
}

function focus(id, name) {
  view(name);
  byId(id).focus();
}

function leave() {
  if (document.body.classList.contains('listing')) showList(false);
  else if (strip.selected !== null) strip.choose(null);
}

listen([
  [['p'], 'Type what to paint', () => focus('prompt', 'picture')],
  [['k'], 'Keep the picture', keep],
  [['ArrowLeft', 'ArrowRight'], 'Bring earlier frames back', null],
  [['r'], 'Go on from the frame that was brought back', useFrame],
  [['Escape'], 'Leave: a field, a frame, the list', leave],
  [['s'], 'Save as PNG', () => download('png')],
  [['w'], 'Save as WebP', () => download('webp')],
  [['c'], 'Copy the command of the picture', copyCommand],
  [['d'], 'Another seed', () => settings.dice()],
  [['['], 'The seed before', () => settings.turn(-1)],
  [[']'], 'The next seed', () => settings.turn(1)],
  [[','], 'Settings', () => settings.toggle()],
  [['i'], 'Start from a picture', () => byId('start-file').click()],
  [['m'], 'Write a message', () => focus('message', 'chat')],
  [['x'], 'Stop the answer', () => chat.stop()],
  [['e'], 'Edit the last message', () => chat.editLast()],
  [['g'], 'Answer again', () => chat.regenerateLast()],
  [['{'], 'The branch before', () => chat.stepLast(-1)],
  [['}'], 'The next branch', () => chat.stepLast(1)],
  [['n'], 'New conversation', () => conversations.begin()],
  [['l'], 'The list of conversations', () => showList()],
  [['/'], 'Search', () => { showList(true); byId('search').focus(); }],
  [['F2'], 'Rename, in the list', null],
  [['Delete'], 'Delete, in the list', null],
  [['u'], 'Undo', act],
  [['?'], 'These keys', showHelp],
]);
document.addEventListener('keydown', event => {
  if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey) return;
  const isFree = event.target === document.body || event.target.id === 'strip' || event.target.tagName === 'BUTTON';
  const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (isFree && by && !byId('help').open) strip.move(by);
});

// Over a narrow page the list lies like a sheet, which a touch beside it puts away.
document.addEventListener('pointerdown', event => {
  const isBeside = !event.target.closest('#list, #show-list');
  if (isBeside && document.body.classList.contains('listing')) showList(false);
});

// The beginning, and coming back

chat.on('answering', isSo => status.answering(isSo));
link.on('change', state => {
  if (state !== 'open') return;
  settings.begin().catch(() => {});
  conversations.read();
  chat.reload();
});
document.addEventListener('visibilitychange', comeBack);
addEventListener('focus', comeBack);
addEventListener('resize', () => {
  fit();
  strip.follow();
});

function comeBack() {
  if (document.hidden) return;
  canvas.refresh();
  chat.reload();
  conversations.read();
}

fit();
chat.open(own.get('conversation'));
canvas.follow();
prompt.focus();
