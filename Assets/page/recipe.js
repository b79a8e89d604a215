/** Recipes as command lines, and pictures as files. */
import { el } from './dom.js';

/** A word for a shell, in quotes where it needs them. */
export function quoted(word) {
  return /^[\w@%+=:,./-]+$/.test(word) && !word.startsWith('-') ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/**
 * The command that paints the settled picture of a frame's text.
 *
 * `settled` is the canvas's last stage, which a draft's own size and steps are replaced with.
 */
export function commandLine(entry, settled) {
  const { recipe, ...frame } = entry.frame;
  const look = entry.stage !== 'settled' && settled ? { ...recipe, ...only(settled) } : recipe;
  const words = ['inkling', 'imagine'];
  if (look.init_image) words.push('--init', 'START.png', '--strength', String(recipe.strength ?? frame.start?.level));
  words.push('--model', look.model, '--size', `${look.width}x${look.height}`, '--steps', String(look.steps));
  words.push('--seed', String(look.seed), '--scheduler', look.scheduler, '--guidance', String(look.guidance_scale));
  if (look.decoder !== 'full') words.push('--decoder', look.decoder);
  if (look.negative_prompt) words.push('--negative', look.negative_prompt);
  words.push('--', look.prompt);
  return words.map(word => (word === '--' || /^--[a-z]+$/.test(word) ? word : quoted(word))).join(' ');
}

const only = ({ width, height, steps, decoder }) => ({ width, height, steps, decoder });

/** A file's name from what it shows: `a-fox-in-snow-7.png`. */
export function fileName({ prompt, seed }, format) {
  const words = prompt.toLowerCase().normalize('NFKD').match(/[\p{L}\p{N}]+/gu) ?? [];
  const name = words.join('-').slice(0, 48).replace(/-+$/, '');
  return `${name || 'picture'}-${seed}.${format}`;
}

/** Has the browser save bytes as a file. */
export function save(blob, name) {
  const url = URL.createObjectURL(blob);
  const anchor = el('a', { href: url, download: name });
  anchor.click();
  // The browser has taken it by then.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** A picture file in base64. */
export async function base64(blob) {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  let binary = '';
  for (let place = 0; place < bytes.length; place += 0x8000) {
    binary += String.fromCharCode(...bytes.subarray(place, place + 0x8000));
  }
  return btoa(binary);
}
