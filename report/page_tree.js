// The tree of artifacts. A branch is drawn when it is opened, a long one piece by piece, so thousands cost nothing.

const kPiece = 200;
let picked = -1;
const findingsAt = artifacts.map(() => []);
data.findings.forEach((f, n) => {
  for (const e of f.evidence)
    if (e.artifact >= 0 && !findingsAt[e.artifact].includes(n)) findingsAt[e.artifact].push(n);
});

function modeWords(a) {
  const letters = {directory: 'd', symlink: 'l', chardevice: 'c', blockdevice: 'b', fifo: 'p', socket: 's'};
  if (a.mode === undefined) return '';
  const bits = a.mode, of = (shift, special, letter) => {
    const run = bits >> shift & 1, on = bits & special;
    return (bits >> shift & 4 ? 'r' : '-') + (bits >> shift & 2 ? 'w' : '-') +
        (on      ? (run ? letter : letter.toUpperCase()) :
             run ? 'x' :
                   '-');
  };
  return (letters[a.kind] || '-') + of(6, 0o4000, 's') + of(3, 0o2000, 's') + of(0, 0o1000, 't');
}
const ownerWords = (a) => a.uid === undefined ? '' : a.uid + ':' + (a.gid === undefined ? '' : a.gid);

function nodeRow(index, depth, words) {
  const a = artifacts[index], open = below[index].length > 0;
  const twist = make('span', {class: 'twist', 'aria-hidden': 'true'}, words === undefined && open ? '\u25b8' : '');
  const name = make('span', {class: 'name'}, twist, make('bdi', {}, words === undefined ? a.name : words));
  if (a.target)
    add(name, make('span', {class: 'soft'}, a.kind === 'hardlink' ? ' = ' : ' \u2192 ', make('bdi', {}, a.target)));
  if (a.device) add(name, make('span', {class: 'soft'}, ' ' + a.device));
  if (a.unread) add(name, make('span', {class: 'tag bad'}, 'unread'));
  if (findingsAt[index].length)
    add(name, make('span', {class: 'tag hit'}, many(findingsAt[index].length, 'finding', 'findings')));
  const row = make(
      'div', {
        class: 'node',
        role: 'treeitem',
        tabindex: -1,
        style: '--depth:' + Math.min(depth, 30),
        'data-index': index,
        'aria-level': depth + 1,
        'aria-expanded': open && words === undefined ? 'false' : undefined
      },
      name, make('span', {class: 'cell wide'}, a.format || a.kind),
      make(
          'span', {class: 'num', title: grouped(a.size) + ' bytes'},
          a.kind === 'directory' || a.kind === 'symlink' ? '' : size(a.size)),
      make('span', {class: 'cell wide mono'}, modeWords(a)), make('span', {class: 'cell wide mono'}, ownerWords(a)));
  row.addEventListener('click', (event) => {
    pick(index, row);
    if (open && words === undefined && (event.target === twist || event.detail !== 2)) toggle(row);
  });
  return row;
}

function appendPiece(box, indexes, from, depth) {
  for (const i of indexes.slice(from, from + kPiece)) box.appendChild(nodeRow(i, depth));
  const left = indexes.length - from - kPiece;
  if (left > 0) {
    const more = make(
        'button', {type: 'button', class: 'more', style: 'margin-left:' + (1 + depth) + 'rem'},
        'Show more (' + grouped(left) + ' left)');
    more.addEventListener('click', () => {
      more.remove();
      appendPiece(box, indexes, from + kPiece, depth);
    });
    box.appendChild(more);
  }
}

function toggle(row, want) {
  const open = row.getAttribute('aria-expanded') === 'true';
  if (row.getAttribute('aria-expanded') === null || want === open) return;
  row.setAttribute('aria-expanded', String(!open));
  row.querySelector('.twist').textContent = open ? '\u25b8' : '\u25be';
  if (open) {
    row.nextElementSibling.remove();
    return;
  }
  const branch = make('div', {role: 'group'});
  row.after(branch);
  appendPiece(branch, below[row.dataset.index], 0, Number(row.getAttribute('aria-level')));
}

function pick(index, row) {
  picked = index;
  for (const old of byId('nodes').querySelectorAll('.picked')) {
    old.classList.remove('picked');
    old.tabIndex = -1;
  }
  row.classList.add('picked');
  row.tabIndex = 0;
  row.focus({preventScroll: true});
  showPicked();
}

function showPicked() {
  const a = artifacts[picked], where = inImage(picked), rows = [];
  const say = (term, ...value) => {
    if (value[0] !== undefined && value[0] !== '') rows.push(make('dt', {}, term), make('dd', {}, ...value));
  };
  say('kind', a.kind + (a.verified ? ', checked by its own checksum or a complete decode' : ''));
  say('format', a.format);
  say('size', grouped(a.size) + ' bytes');
  if (a.offset !== undefined)
    say('first byte',
        hex(a.offset) + ' of its container' + (where && picked > 0 ? ', ' + hex(where.start) + ' of the image' : ''));
  say('packed with', a.codec);
  if (a.mode !== undefined)
    say('mode',
        modeWords(a) + ' (' + a.mode.toString(8).padStart(4, '0') + ')' +
            (ownerWords(a) ? ', owner ' + ownerWords(a) : ''));
  say('link target', a.target ? make('bdi', {class: 'mono'}, a.target) : '');
  say('device', a.device);
  if (a.mtime !== undefined)
    say('changed',
        new Date(a.mtime * 1000).getTime() ?
            new Date(a.mtime * 1000).toISOString().replace('.000Z', ' UTC').replace('T', ' ') :
            String(a.mtime));
  say('sha256', a.sha256 ? make('span', {class: 'mono'}, a.sha256) : '');
  for (const [name, value] of a.xattrs || []) say('xattr ' + name, make('span', {class: 'mono'}, value));
  const hits = findingsAt[picked].map(
      (n) => make(
          'div', {},
          make('button', {type: 'button', class: 'link', on: {click: () => showFinding(n)}}, data.findings[n].title)));
  if (hits.length) say('findings', hits);
  byId('picked-box').replaceChildren(make('h3', {}, make('bdi', {class: 'mono'}, wayOf(picked))), make('dl', {}, rows));
}

// Opens every branch down to an artifact and brings it into view.
function reveal(index) {
  if (byId('tree-filter').value) {
    byId('tree-filter').value = '';
    drawTree();
  }
  const trail = [];
  for (let i = index; i >= 0; i = artifacts[i].up) trail.unshift(i);
  let row = null, box = byId('nodes');
  for (const step of trail) {
    const find = () => [...box.children].find((c) => c.dataset.index === String(step));
    for (let more; !(row = find()) && (more = [...box.children].find((c) => c.className === 'more'));) more.click();
    if (!row) return;
    if (step !== index) {
      toggle(row, true);
      box = row.nextElementSibling;
    }
  }
  pick(index, row);
  row.scrollIntoView({block: 'center'});
}

function drawTree() {
  const words = byId('tree-filter').value.trim().toLowerCase(), box = byId('nodes');
  while (box.children.length > 1) box.lastChild.remove();
  if (!words) {
    if (artifacts.length) box.appendChild(nodeRow(0, 0));
    let row = box.children[1];
    while (row && row.getAttribute('aria-expanded') === 'false') {  // open as far as there is one way to go
      toggle(row, true);
      const branch = row.nextElementSibling;
      if (below[row.dataset.index].length > 8) break;
      row = [...branch.children].find(
          (c) => below[c.dataset.index] &&
              below[c.dataset.index].length === Math.max(...below[row.dataset.index].map((i) => below[i].length)));
    }
    byId('tree-count').textContent = many(artifacts.length, 'artifact', 'artifacts');
  } else {
    const hits = artifacts.map((a, i) => i).filter((i) => {
      const a = artifacts[i];
      return (wayOf(i) + ' ' + (a.format || '') + ' ' + a.kind + ' ' + (a.target || '') + (a.unread ? ' unread' : ''))
          .toLowerCase()
          .includes(words);
    });
    for (const i of hits.slice(0, kPiece)) box.appendChild(nodeRow(i, 0, wayOf(i)));
    byId('tree-count').textContent =
        many(hits.length, 'match', 'matches') + (hits.length > kPiece ? ', the first ' + kPiece + ' shown' : '');
  }
  const first = box.querySelector('[role=treeitem]');
  if (first) first.tabIndex = 0;
}

function treeKey(event) {
  const row = event.target.closest('[role=treeitem]');
  if (!row) return;
  const rows = [...byId('nodes').querySelectorAll('[role=treeitem]')], at = rows.indexOf(row);
  const open = row.getAttribute('aria-expanded');
  if (event.key === 'ArrowDown' && rows[at + 1])
    pick(Number(rows[at + 1].dataset.index), rows[at + 1]);
  else if (event.key === 'ArrowUp' && rows[at - 1])
    pick(Number(rows[at - 1].dataset.index), rows[at - 1]);
  else if (event.key === 'ArrowRight' && open === 'false')
    toggle(row, true);
  else if (event.key === 'ArrowLeft' && open === 'true')
    toggle(row, false);
  else if (event.key === 'ArrowLeft' && row.parentNode.getAttribute('role') === 'group') {
    const up = row.parentNode.previousElementSibling;
    pick(Number(up.dataset.index), up);
  } else if (event.key === 'Enter' || event.key === ' ')
    toggle(row);
  else
    return;
  event.preventDefault();
  const now = document.activeElement;
  if (now && now.closest('#nodes')) now.scrollIntoView({block: 'nearest'});
}

function startTree() {
  const filter = make('input', {
    type: 'search',
    id: 'tree-filter',
    placeholder: 'Filter by path, format, link target, unread \u2026',
    'aria-label': 'Filter the tree'
  });
  filter.addEventListener('input', drawTree);
  const head = make(
      'div', {class: 'node head', style: '--depth:0', 'aria-hidden': 'true'}, make('span', {class: 'name'}, 'Name'),
      make('span', {class: 'cell wide'}, 'Format'), make('span', {class: 'num'}, 'Size'),
      make('span', {class: 'cell wide'}, 'Mode'), make('span', {class: 'cell wide'}, 'Owner'));
  const nodes = make('div', {class: 'nodes', id: 'nodes', role: 'tree', 'aria-label': 'Artifacts'}, head);
  nodes.addEventListener('keydown', treeKey);
  add(byId('tree'), make('h2', {id: 'tree-title'}, 'What is inside'),
      make('div', {class: 'tools'}, filter, make('span', {class: 'soft', id: 'tree-count'})), nodes,
      make('div', {class: 'picked-box', id: 'picked-box'}));
  drawTree();
}
