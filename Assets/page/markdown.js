/**
 * Markdown as models write it, as elements.
 *
 * Nothing a model says becomes markup: every element is made here, and every text goes in as text. Links lead to
 * http, https and mailto only; pictures from elsewhere stay links.
 */
import { copy, el } from './dom.js';

const FENCE = /^ {0,3}(```+|~~~+)\s*([\w+#.-]*)/;
const HEADING = /^ {0,3}(#{1,6})\s+(.*)$/;
const RULE = /^ {0,3}([-*_])(?:[ \t]*\1){2,}[ \t]*$/;
const ITEM = /^( *)([-*+]|\d{1,9}[.)])\s+(.*)$/;
const QUOTE = /^ {0,3}> ?/;
const DIVIDER = /^ {0,3}\|?[ :|-]*-[ :|-]*$/;

/** How deep lists and quotes may stand in each other; deeper ones stay text. */
const DEPTH = 6;

/** The elements of a text. */
export function render(text, depth = 0) {
  const lines = text.replaceAll('\r\n', '\n').split('\n');
  const blocks = document.createDocumentFragment();
  for (let at = 0; at < lines.length;) {
    const [block, next] = readBlock(lines, at, depth);
    if (block) blocks.append(block);
    at = next;
  }
  return blocks;
}

function readBlock(lines, at, depth) {
  const line = lines[at];
  if (!line.trim()) return [null, at + 1];
  const fence = FENCE.exec(line);
  if (fence) return readCode(lines, at, fence);
  const heading = HEADING.exec(line);
  if (heading) {
    const level = Math.min(5, heading[1].length + 2);
    return [el(`h${level}`, {}, inline(heading[2].replace(/\s#+\s*$/, ''))), at + 1];
  }
  if (RULE.test(line)) return [el('hr'), at + 1];
  if (QUOTE.test(line) && depth < DEPTH) return readQuote(lines, at, depth);
  if (ITEM.test(line) && depth < DEPTH) return readList(lines, at, depth);
  if (line.includes('|') && at + 1 < lines.length && isDivider(lines[at + 1])) {
    return readTable(lines, at);
  }
  return readParagraph(lines, at, depth);
}

function readCode(lines, at, [, marks, language]) {
  let end = at + 1;
  while (end < lines.length && !(lines[end].trim().startsWith(marks) && !lines[end].trim().replaceAll(marks[0], ''))) end += 1;
  const text = lines.slice(at + 1, end).join('\n');
  const button = el('button', { class: 'quiet', type: 'button' }, 'Copy');
  button.addEventListener('click', async () => {
    button.textContent = (await copy(text)) ? 'Copied' : 'Not copied';
    setTimeout(() => { button.textContent = 'Copy'; }, 1500);
  });
  const label = language ? `Code, ${language}` : 'Code';
  const block = el('pre', { tabindex: '0', role: 'region', 'aria-label': label }, el('code', {}, text));
  return [el('div', { class: 'code' }, block, button), end + 1];
}

function readQuote(lines, at, depth) {
  let end = at;
  while (end < lines.length && QUOTE.test(lines[end])) end += 1;
  const text = lines.slice(at, end).map(line => line.replace(QUOTE, '')).join('\n');
  return [el('blockquote', {}, render(text, depth + 1)), end];
}

function readList(lines, at, depth) {
  const [, indent, mark] = ITEM.exec(lines[at]);
  const isOrdered = /\d/.test(mark);
  const start = isOrdered ? Number.parseInt(mark, 10) : 1;
  const list = el(isOrdered ? 'ol' : 'ul', { start: start !== 1 ? start : null });
  let end = at;
  while (end < lines.length) {
    const item = ITEM.exec(lines[end]);
    if (!item || item[1].length > indent.length + 1 || /\d/.test(item[2]) !== isOrdered) break;
    const body = [item[3]];
    end += 1;
    // What is indented further belongs to the item, blank lines between included.
    while (end < lines.length) {
      const isBlank = !lines[end].trim();
      const belongs = isBlank ? /^\s{2,}\S/.test(lines[end + 1] ?? '') : /^\s{2,}/.test(lines[end]) && leading(lines[end]) > indent.length;
      if (!belongs) break;
      body.push(lines[end].slice(Math.min(leading(lines[end]), indent.length + 2)));
      end += 1;
    }
    list.append(el('li', {}, renderItem(body.join('\n'), depth)));
    while (end + 1 < lines.length && !lines[end].trim() && ITEM.test(lines[end + 1])) end += 1;
  }
  return [list, end];
}

/** An item of one paragraph stands without one around it. */
function renderItem(text, depth) {
  const blocks = [...render(text, depth + 1).childNodes];
  return blocks[0]?.tagName === 'P' ? [...blocks[0].childNodes, ...blocks.slice(1)] : blocks;
}

const isDivider = line => line.length < 2000 && line.includes('|') && DIVIDER.test(line);

const leading = line => line.length - line.trimStart().length;

function readTable(lines, at) {
  let end = at + 2;
  while (end < lines.length && lines[end].includes('|')) end += 1;
  const cells = line => line.trim().replace(/^\|/, '').replace(/\|$/, '').split('|').map(cell => cell.trim());
  const row = (line, tag) => el('tr', {}, cells(line).map(cell => el(tag, {}, inline(cell))));
  const table = el('table', {}, el('thead', {}, row(lines[at], 'th')),
    el('tbody', {}, lines.slice(at + 2, end).map(line => row(line, 'td'))));
  return [el('div', { class: 'table', tabindex: '0', role: 'region', 'aria-label': 'Table' }, table), end];
}

function readParagraph(lines, at, depth) {
  let end = at + 1;
  const isOther = line => !line.trim() || FENCE.test(line) || HEADING.test(line) || RULE.test(line)
    || (depth < DEPTH && (QUOTE.test(line) || ITEM.test(line)));
  while (end < lines.length && !isOther(lines[end])) end += 1;
  const parts = lines.slice(at, end).flatMap((line, place) => [
    ...(place ? [/ {2}$|\\$/.test(lines[at + place - 1].slice(-2)) ? el('br') : '\n'] : []), ...inline(line.trim().replace(/\\$/, '')),
  ]);
  return [el('p', {}, parts), end];
}

// Within a line

const MARKS = [['**', 'strong'], ['__', 'strong'], ['~~', 'del'], ['*', 'em'], ['_', 'em']];

/** The nodes of a line's text; `depth` bounds how far emphasis stands in emphasis. */
export function inline(text, depth = 0) {
  const nodes = [];
  let plain = '';
  const flush = () => {
    if (plain) nodes.push(plain);
    plain = '';
  };
  // Where each mark was last found, so that a line of nothing but marks takes no longer than another.
  const found = new Map();
  for (let at = 0; at < text.length;) {
    const piece = depth < DEPTH ? special(text, at, depth, found) : null;
    if (piece) {
      flush();
      nodes.push(piece.node);
      at = piece.end;
    } else if (text[at] === '\\' && /[!-/:-@[-`{-~]/.test(text[at + 1] ?? '')) {
      plain += text[at + 1];
      at += 2;
    } else {
      plain += text[at];
      at += 1;
    }
  }
  flush();
  return nodes;
}

function special(text, at, depth, found) {
  switch (text[at]) {
    case '`': return code(text, at, found);
    case '!': return text[at + 1] === '[' ? anchor(text, at + 1, depth, found) : null;
    case '[': return anchor(text, at, depth, found);
    case '<': return bare(text, at + 1, '>');
    case 'h': return /\w/.test(text[at - 1] ?? '') ? null : bare(text, at, null);
    default: return emphasis(text, at, depth, found);
  }
}

function code(text, at, found) {
  let width = 1;
  while (text[at + width] === '`') width += 1;
  const mark = '`'.repeat(width);
  const end = find(text, mark, at + width, found);
  if (end < 0) return null;
  return { node: el('code', {}, text.slice(at + width, end).trim()), end: end + width };
}

function emphasis(text, at, depth, found) {
  for (const [mark, tag] of MARKS) {
    if (!text.startsWith(mark, at) || /\s/.test(text[at + mark.length] ?? ' ')) continue;
    // snake_case is no emphasis.
    if (mark[0] === '_' && /\w/.test(text[at - 1] ?? '')) continue;
    const end = find(text, mark, at + mark.length + 1, found);
    if (end < 0 || /\s/.test(text[end - 1]) || (mark.length === 1 && text[end + 1] === mark)) continue;
    return { node: el(tag, {}, inline(text.slice(at + mark.length, end), depth + 1)), end: end + mark.length };
  }
  return null;
}

function anchor(text, at, depth, found) {
  const close = find(text, '](', at + 1, found);
  if (close < 0) return null;
  const end = find(text, ')', close + 2, found);
  if (end < 0) return null;
  const target = safe(text.slice(close + 2, end).trim().split(/\s/)[0]);
  if (!target) return null;
  return { node: reference(target, inline(text.slice(at + 1, close), DEPTH)), end: end + 1 };
}

function bare(text, at, closing) {
  const match = /^https?:\/\/[^\s<>"'`]{1,2000}/.exec(text.slice(at, at + 2010));
  if (!match) return null;
  const address = closing ? match[0] : match[0].replace(/[.,;:!?)\]]+$/, '');
  const end = at + address.length;
  if (closing && text[end] !== closing) return null;
  const target = safe(address);
  return target && { node: reference(target, [address]), end: end + (closing ? 1 : 0) };
}

const reference = (target, children) =>
  el('a', { href: target, target: '_blank', rel: 'noopener noreferrer nofollow' }, children);

/** An address that leads to another page or to a letter; `null` for anything that could do more. */
function safe(address) {
  try {
    const url = new URL(address);
    return ['http:', 'https:', 'mailto:'].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

/** The place of a mark at or behind `from`; a line is read forwards, so what was found holds until it is passed. */
function find(text, mark, from, found) {
  const known = found.get(mark);
  if (known !== undefined && (known < 0 || known >= from)) return known;
  const place = text.indexOf(mark, from);
  found.set(mark, place);
  return place;
}
