// The treemap: every artifact as an area. Stored parts take the bytes they have in their container; what was packed
// takes a share of the packed bytes by its unpacked size, since no format says how long each file was packed.

const kGap = 2, kTitle = 15, kMostCells = 6000;
let mapRoot = 0, mapColor = 'range';

// Ranges of a container that no artifact is made of, summed up: [range, bytes].
function rangeSums(artifact) {
  const sums = [0, 0, 0, 0, 0];
  for (const [range, , length] of artifact.spans || []) sums[range] += length;
  return sums;
}

// What stands inside an artifact, as {index, weight} or {range, weight}.
function cellsOf(index) {
  const a = artifacts[index], children = below[index];
  if (!children.length && !(a.spans && a.spans.length > 1)) return [];
  const sums = rangeSums(a), inside = sums.reduce((x, y) => x + y, 0) || weightOf(index);
  const stored = children.every((c) => artifacts[c].kind === 'part' && !artifacts[c].codec);
  let content = a.spans && a.spans.length ? sums[1] : inside;
  const cells = [];
  const total = children.reduce((sum, c) => sum + weightOf(c), 0);
  if (stored && total <= content) {
    for (const c of children) cells.push({index: c, weight: artifacts[c].size});
    if (content - total > 0) cells.push({range: 1, weight: content - total});
  } else {
    if (!content) content = total ? inside : 0;
    for (const c of children) cells.push({index: c, weight: total ? content * weightOf(c) / total : 0});
  }
  if (!total && content && children.length) cells.push({range: 1, weight: content});
  for (const range of [0, 2, 3, 4])
    if (sums[range]) cells.push({range, weight: sums[range]});
  return cells.filter((c) => c.weight > 0).sort((x, y) => y.weight - x.weight);
}

// A directory weighs what is below it, everything else its own bytes. Counted once, from the leaves up.
const weights = artifacts.map((a) => a.kind === 'directory' ? 0 : a.size);
const depths = artifacts.map((a, i) => depthOf(i));
artifacts.map((a, i) => i).sort((x, y) => depths[y] - depths[x]).forEach((i) => {
  const up = artifacts[i].up;
  if (up >= 0 && artifacts[up].kind === 'directory') weights[up] += weights[i];
});
function depthOf(index) {
  let depth = 0;
  for (let i = artifacts[index].up; i >= 0; i = artifacts[i].up) ++depth;
  return depth;
}
const weightOf = (index) => weights[index];

// Squarified treemap (Bruls, Huizing, van Wijk 2000): rows whose worst side ratio no longer improves are closed.
function squarify(cells, box) {
  const out = [], total = cells.reduce((sum, c) => sum + c.weight, 0);
  let {x, y, w, h} = box, at = 0;
  const scale = total > 0 ? w * h / total : 0;
  while (at < cells.length && w > 0.5 && h > 0.5) {
    const side = Math.min(w, h);
    let sum = 0, worst = Infinity, end = at;
    for (; end < cells.length; ++end) {
      const next = sum + cells[end].weight * scale, thick = next / side;
      const first = cells[at].weight * scale / thick, last = cells[end].weight * scale / thick;
      const ratio = Math.max(thick / last, last / thick, thick / first, first / thick);
      if (ratio > worst) break;
      worst = ratio;
      sum = next;
    }
    const thick = sum / side;
    let along = 0;
    for (; at < end; ++at) {
      const length = cells[at].weight * scale / thick;
      out.push(
          w >= h ? {cell: cells[at], x, y: y + along, w: thick, h: length} :
                   {cell: cells[at], x: x + along, y, w: length, h: thick});
      along += length;
    }
    if (w >= h) {
      x += thick;
      w -= thick;
    } else {
      y += thick;
      h -= thick;
    }
  }
  return out;
}

// Where an artifact's bytes lie in the image, when they are stored as they are all the way up.
function inImage(index) {
  let start = 0;
  for (let i = index; i > 0; i = parentOf(i)) {
    if (artifacts[i].kind !== 'part' || artifacts[i].codec || artifacts[i].offset === undefined) return null;
    start += artifacts[i].offset;
  }
  return {start, end: start + artifacts[index].size};
}
function parentOf(index) {
  const a = artifacts[index];
  return a.in === undefined ? a.up : a.in;
}
function meanEntropy(start, end) {
  const {block, values} = data.entropy;
  if (!block || !values.length || end <= start) return null;
  let sum = 0, n = 0;
  for (let i = Math.floor(start / block); i < Math.min(values.length, Math.ceil(end / block)); ++i) {
    sum += values[i];
    ++n;
  }
  return n ? sum / n / 255 * 8 : null;
}

const entropyColor = (bits) => 'hsl(' + Math.round(225 - bits / 8 * 225) + ' 62% 62%)';
function formatColor(word) {
  if (!word) return color('padding');
  let hash = 7;
  for (const c of word) hash = (hash * 31 + c.charCodeAt(0)) % 9973;
  return 'hsl(' + (hash * 137) % 360 + ' 48% ' + (60 + hash % 3 * 6) + '%)';
}
function formatWord(index) {
  const a = artifacts[index];
  if (a.format) return a.format;
  const dot = a.name.lastIndexOf('.');
  return a.kind === 'file' && dot > a.name.lastIndexOf('/') + 1 && a.name.length - dot < 7 ? a.name.slice(dot) : a.kind;
}
function rangeOf(index) {
  const sums = rangeSums(artifacts[index]), most = Math.max(...sums);
  return most > 0 ? sums.indexOf(most) : artifacts[index].unread ? 3 : 1;
}
function fillOf(cell, owner) {
  if (cell.range !== undefined && mapColor !== 'entropy') return color(kRanges[cell.range]);
  const index = cell.index === undefined ? owner : cell.index;
  if (mapColor === 'range') return color(kRanges[rangeOf(index)]);
  if (mapColor === 'format') return formatColor(formatWord(index));
  for (let i = index; i >= 0; i = artifacts[i].up) {  // packed bytes have the entropy of what packs them
    const where = inImage(i), bits = where && meanEntropy(where.start, where.end);
    if (bits !== null && where) return entropyColor(bits);
  }
  return color('padding');
}

function describeArtifact(index) {
  const a = artifacts[index], where = inImage(index);
  const bits = where && meanEntropy(where.start, where.end);
  return [
    wayOf(index),
    [
      size(a.size) + ' (' + grouped(a.size) + ' bytes)', a.format ? 'format ' + a.format : a.kind,
      a.codec ? 'packed with ' + a.codec : '', a.unread ? 'unread' : ''
    ].filter(Boolean)
        .join(' \u00b7 '),
    [
      a.offset !== undefined ? 'at ' + hex(a.offset) + ' of its container' : '',
      where ? 'image ' + hex(where.start) + '\u2013' + hex(where.end) : '',
      bits !== null && where ? 'entropy ' + bits.toFixed(2) + ' bits a byte' : ''
    ].filter(Boolean)
        .join(' \u00b7 ')
  ];
}

function drawMap() {
  const box = byId('treemap'), width = Math.max(280, box.clientWidth), cells = cellsOf(mapRoot).length;
  const height = cells ? Math.max(280, Math.min(520, width * 0.5)) : 64;  // one area needs no room
  const svg = make('svg', {viewBox: '0 0 ' + width + ' ' + height, height, role: 'group', 'aria-label': 'Treemap'});
  let count = 0;
  const draw = (owner, area) => {
    for (const r of squarify(cellsOf(owner), area)) {
      if (r.w < 1.5 || r.h < 1.5 || ++count > kMostCells) continue;
      const {index, range} = r.cell;
      const nested = index !== undefined && r.w > 26 && r.h > 30 && cellsOf(index).length > 0;
      const named = r.w > 44 && r.h > 17;
      const words = index === undefined ? kRanges[range] : artifacts[index].name;
      const fill = fillOf(r.cell, owner);
      add(svg, make('rect', {
            x: r.x.toFixed(1),
            y: r.y.toFixed(1),
            width: r.w.toFixed(1),
            height: r.h.toFixed(1),
            fill,
            'fill-opacity': nested ? 0.45 : 0.92,
            'data-index': index === undefined ? owner : index,
            'data-range': index === undefined ? range : undefined,
            'data-bytes': Math.round(r.cell.weight)
          }));
      if (nested) draw(index, {x: r.x + kGap, y: r.y + kTitle, w: r.w - 2 * kGap, h: r.h - kTitle - kGap});
      if (named)
        add(svg,
            make(
                'text', {
                  x: (r.x + 4).toFixed(1),
                  y: (r.y + 12).toFixed(1),
                  class: nested || fill === color('padding') ? 'over' : undefined
                },
                clip(words, r.w - 8)));
    }
  };
  draw(mapRoot, {x: 0, y: 0, w: width, h: height});
  if (!count)
    add(svg, make('rect', {
          x: 0,
          y: 0,
          width,
          height,
          fill: fillOf({index: mapRoot}),
          'data-index': mapRoot,
          'data-bytes': artifacts[mapRoot].size
        }),
        make('text', {x: 8, y: 20}, clip(artifacts[mapRoot].name + ': ' + kRanges[rangeOf(mapRoot)], width - 16)));
  box.replaceChildren(svg);
  const trail = [];
  for (let i = mapRoot; i >= 0; i = artifacts[i].up) trail.unshift(i);
  byId('trail').replaceChildren(...trail.flatMap(
      (i, n) =>
          [n ? document.createTextNode(' / ') : document.createTextNode(''),
           make('button', {type: 'button', class: 'link', on: {click: () => zoomTo(i)}}, artifacts[i].name)]));
}
// SVG text does not end by itself: about 6.2 units a character at this size.
function clip(words, width) {
  const text = plain(words), most = Math.floor(width / 6.2);
  return text.length <= most ? text : most < 4 ? '' : text.slice(0, most - 1) + '\u2026';
}

function zoomTo(index) {
  let to = index;
  while (to > 0 && !cellsOf(to).length) to = artifacts[to].up;
  mapRoot = Math.max(0, to);
  drawMap();
  drawStrip();
}

// The child of the zoomed artifact that holds `index`: one click goes one level down.
function stepTowards(index) {
  let step = index;
  while (step > 0 && artifacts[step].up !== mapRoot) step = artifacts[step].up;
  return step;
}

function startMap() {
  const modes = {range: 'kind of bytes', format: 'format', entropy: 'entropy'};
  const buttons = Object.entries(modes).map(
      ([mode, words]) => make(
          'button', {
            type: 'button',
            'aria-pressed': mode === mapColor,
            on: {
              click: (event) => {
                mapColor = mode;
                for (const b of event.target.parentNode.querySelectorAll('button[aria-pressed]'))
                  b.setAttribute('aria-pressed', b === event.target);
                drawMap();
              }
            }
          },
          words));
  for (const b of buttons) b.setAttribute('aria-pressed', b === buttons[0]);
  const map = make('div', {
    id: 'treemap',
    tabindex: 0,
    role: 'application',
    'aria-label': 'Treemap of the artifacts. Arrow keys move, Enter opens, Backspace goes up.'
  });
  add(byId('treemap-box'),
      make(
          'div', {class: 'tools'}, make('span', {class: 'grow', id: 'trail'}),
          make('span', {class: 'soft'}, 'colour by'), buttons),
      map,
      make(
          'p', {class: 'soft'},
          'Click to go in, the path above to go out, Shift-click to show it in the tree. ' +
              'Stored parts are drawn by the bytes ' +
              'they take; what was packed shares the packed bytes by its unpacked size.'));
  const cellAt = (event) => event.target.closest('rect');
  map.addEventListener('mousemove', (event) => {
    const rect = cellAt(event);
    if (!rect) return hideHover();
    const lines = describeArtifact(Number(rect.dataset.index));
    if (rect.dataset.range !== undefined)
      lines.splice(1, 0, kRanges[rect.dataset.range] + ': ' + size(Number(rect.dataset.bytes)) + ' of');
    showHover(event, ...lines);
  });
  map.addEventListener('mouseleave', hideHover);
  map.addEventListener('click', (event) => {
    const rect = cellAt(event);
    if (!rect) return;
    const index = Number(rect.dataset.index), step = stepTowards(index);
    if (event.shiftKey || !cellsOf(step).length)
      reveal(index);
    else
      zoomTo(step);
  });
  map.addEventListener('keydown', (event) => mapKey(event, map));
  drawMap();
}

function mapKey(event, map) {
  const rects = [...map.querySelectorAll('rect')].filter(
      (r) => r.dataset.range === undefined && artifacts[r.dataset.index].up === mapRoot);
  const at = rects.findIndex((r) => r.classList.contains('hot'));
  const moves = {ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1};
  if (moves[event.key] && rects.length) {
    const next = rects[(at + moves[event.key] + rects.length) % rects.length];
    if (at >= 0) rects[at].classList.remove('hot');
    next.classList.add('hot');
    const box = next.getBoundingClientRect();
    showHover({clientX: box.left, clientY: box.top + 20}, ...describeArtifact(Number(next.dataset.index)));
  } else if (event.key === 'Enter' && at >= 0) {
    const index = Number(rects[at].dataset.index);
    if (cellsOf(index).length)
      zoomTo(index);
    else
      reveal(index);
  } else if ((event.key === 'Backspace' || event.key === 'Escape') && mapRoot > 0) {
    zoomTo(artifacts[mapRoot].up);
  } else {
    return;
  }
  event.preventDefault();
}
