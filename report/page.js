'use strict';
// The base of the page: the data, elements made with textContent only, words and sizes. Every script of the page is one
// program after this one, in the order of cmake/embed_page.cmake; nothing is fetched and nothing is written anywhere.

window.addEventListener('error', (event) => {
  const box = document.getElementById('errors');
  box.hidden = false;
  box.textContent +=
      'This page failed: ' + event.message + ' (line ' + event.lineno + '). The JSON report is complete. ';
});

const data = JSON.parse(document.getElementById('data').textContent);
const about = data.about, artifacts = data.artifacts;
const kRanges = ['header', 'content', 'padding', 'unknown', 'encrypted'];
const kSeverities = ['critical', 'high', 'medium', 'low', 'note'];
const byId = (id) => document.getElementById(id);

// Characters that draw nothing or turn the reading order around are shown by their number: a name must not look like
// another one.
const kHidden = new RegExp(
    '[\\u00ad\\u034f\\u061c\\u115f\\u1160\\u180b-\\u180e\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f' +
        '\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff9-\\ufffb]|[\\u{e0000}-\\u{e0fff}]',
    'gu');
function plain(text) {
  return String(text).replace(
      kHidden, (c) => '\u27e8U+' + c.codePointAt(0).toString(16).toUpperCase().padStart(4, '0') + '\u27e9');
}

// make('td', {class: 'num', on: {click: f}}, 'text', child...): attributes by setAttribute, strings as text nodes.
function make(name, attributes, ...children) {
  const svg = name === 'svg' || name === 'rect' || name === 'text' || name === 'g' || name === 'path';
  const element = svg ? document.createElementNS('http://www.w3.org/2000/svg', name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (key === 'on')
      for (const [event, f] of Object.entries(value)) element.addEventListener(event, f);
    else if (value === true)
      element.setAttribute(key, '');
    else if (value !== false && value !== undefined && value !== null)
      element.setAttribute(key, value);
  }
  add(element, ...children);
  return element;
}
function add(element, ...children) {
  for (const child of children.flat())
    if (child !== null && child !== undefined && child !== false)
      element.appendChild(child instanceof Node ? child : document.createTextNode(plain(child)));
  return element;
}

function size(bytes) {
  if (bytes < 1024) return bytes + ' B';
  const units = ['KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes / 1024, i = 0;
  for (; value >= 1024 && i < 3; ++i) value /= 1024;
  return value.toFixed(value < 10 ? 1 : 0) + ' ' + units[i];
}
const grouped = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, '\u202f');
const hex = (n, digits) => '0x' + n.toString(16).padStart(digits || 1, '0');
const many = (n, one, more) => grouped(n) + ' ' + (n === 1 ? one : more);
const percent = (part, whole) =>
    whole > 0 ? (100 * part / whole).toFixed(part > 0 && 100 * part / whole < 1 ? 2 : 1) + ' %' : '0 %';
const color = (name) => 'var(--' + name + ')';
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim();

// The tree: who is shown below whom, and the whole way of each.
const below = artifacts.map(() => []);
artifacts.forEach((a, i) => {
  if (a.up >= 0) below[a.up].push(i);
});
function wayOf(index) {
  const names = [];
  for (let i = index; i >= 0; i = artifacts[i].up) names.unshift(artifacts[i].name);
  return names.join('/');
}

// A button that shows an artifact in the tree (page_tree.js).
function placeLink(index, offset, words) {
  if (index < 0) return make('span', {class: 'mono'}, words === undefined ? '' : words);
  const at = offset > 0 ? ' @ ' + hex(offset) : '';
  return make(
      'button', {class: 'link', type: 'button', title: 'Show it in the tree', on: {click: () => reveal(index)}},
      make('bdi', {}, (words === undefined ? wayOf(index) : words) + at));
}

function copyButton(text) {
  const button = make('button', {type: 'button', class: 'copy'}, 'Copy');
  const say = (word) => {
    button.textContent = word;
    setTimeout(() => {
      button.textContent = 'Copy';
    }, 1500);
  };
  button.addEventListener('click', () => {
    if (navigator.clipboard && window.isSecureContext) {
      navigator.clipboard.writeText(text).then(() => say('Copied'), () => say('Not allowed'));
      return;
    }
    const area = make('textarea', {});  // a page opened from a file may not have the clipboard
    area.value = text;
    document.body.appendChild(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    say(done ? 'Copied' : 'Not allowed');
  });
  return button;
}

const hover = byId('hover');
function showHover(event, ...lines) {
  hover.replaceChildren();
  lines.filter(Boolean).forEach((line, i) => add(hover, make('div', {class: i === 0 ? 'mono' : ''}, line)));
  hover.hidden = false;
  const box = hover.getBoundingClientRect();
  const x = Math.min(event.clientX + 14, innerWidth - box.width - 8);
  const y = event.clientY + 18 + box.height > innerHeight ? event.clientY - box.height - 12 : event.clientY + 18;
  hover.style.left = Math.max(4, x) + 'px';
  hover.style.top = Math.max(4, y) + 'px';
}
const hideHover = () => {
  hover.hidden = true;
};
