// The image from its first byte to its last: what each range is, and above it how random the bytes look.

// The ranges of the image itself, with the innermost stored part that each belongs to.
const segments = about.directory ? [] : resolveSegments();
function resolveSegments() {
  const out = [], parts = artifacts.map(() => []);
  artifacts.forEach((a, i) => {
    if (i > 0 && a.kind === 'part' && !a.codec && a.offset !== undefined && a.size > 0) parts[parentOf(i)].push(i);
  });
  const piece = (index, base, range, from, to) => {
    if (to > from) out.push({range, start: base + from, end: base + to, index});
  };
  const walk = (index, base, depth) => {
    const a = artifacts[index];
    const spans = a.spans || [[a.unread ? 3 : 1, 0, a.size]];
    const children = parts[index].sort((x, y) => artifacts[x].offset - artifacts[y].offset);
    let next = 0, done = 0;
    for (const [range, offset, length] of spans) {
      let at = Math.max(offset, done);
      const end = offset + length;
      while (next < children.length && artifacts[children[next]].offset < end) {
        const child = artifacts[children[next]];
        if (depth < 64 && child.offset >= at && child.offset + child.size <= a.size) {
          piece(index, base, range, at, child.offset);
          walk(children[next], base + child.offset, depth + 1);
          at = done = child.offset + child.size;
        }
        ++next;
      }
      piece(index, base, range, at, end);
      done = Math.max(done, end);
    }
  };
  if (artifacts.length) walk(0, 0, 0);
  return out;
}

const strip = {
  start: 0,
  end: about.size,
  cursor: null
};

function drawStrip() {
  const canvas = byId('strip');
  if (!canvas) return;
  const where = inImage(mapRoot) || {start: 0, end: about.size};
  Object.assign(strip, where.end > where.start ? where : {start: 0, end: about.size});
  const scale = window.devicePixelRatio || 1, width = Math.max(280, canvas.clientWidth), height = 128, curve = 78;
  canvas.width = width * scale;
  canvas.height = height * scale;
  const g = canvas.getContext('2d'), span = strip.end - strip.start;
  g.scale(scale, scale);
  g.fillStyle = css('paper');
  g.fillRect(0, 0, width, height);
  const x = (offset) => (offset - strip.start) / span * width;
  drawColumns(g, Math.floor(width), curve + 6, height - curve - 6);
  drawCurve(g, x, width, curve);
  if (strip.cursor !== null) {
    g.fillStyle = css('ink');
    g.fillRect(x(strip.cursor) - 0.5, 0, 1.5, height);
  }
  byId('strip-axis')
      .replaceChildren(
          ...[0, 0.25, 0.5, 0.75, 1].map((f) => make('span', {}, hex(Math.round(strip.start + f * span)))));
}

// One column a point of the screen, its height shared by the kinds of bytes in it: small ranges keep their true share,
// and what is unknown or encrypted at least two points of it.
function drawColumns(g, width, top, height) {
  const perColumn = (strip.end - strip.start) / width;
  const columns = Array.from({length: width}, () => [0, 0, 0, 0, 0]);
  for (const s of segments) {
    const from = Math.max(s.start, strip.start) - strip.start, to = Math.min(s.end, strip.end) - strip.start;
    for (let c = Math.floor(from / perColumn); c < width && c * perColumn < to; ++c)
      columns[c][s.range] += Math.max(0, Math.min(to, (c + 1) * perColumn) - Math.max(from, c * perColumn));
  }
  const fills = kRanges.map(css);
  columns.forEach((sums, c) => {
    let y = top;
    for (const range of [4, 3, 0, 2, 1]) {
      if (!sums[range]) continue;
      const least = range >= 3 ? 2 : 0,
            tall = Math.min(top + height - y, Math.max(least, sums[range] / perColumn * height));
      g.fillStyle = fills[range];
      g.fillRect(c, y, 1, tall);
      y += tall;
    }
  });
}

function drawCurve(g, x, width, height) {
  const {block, values} = data.entropy;
  if (!block) return;
  g.strokeStyle = css('line');
  g.lineWidth = 1;
  for (const bits of [2, 4, 6]) {
    g.beginPath();
    g.moveTo(0, height - bits / 8 * height + 0.5);
    g.lineTo(width, height - bits / 8 * height + 0.5);
    g.stroke();
  }
  const first = Math.floor(strip.start / block), last = Math.min(values.length, Math.ceil(strip.end / block));
  g.beginPath();
  g.moveTo(0, height);
  for (let i = first; i < last; ++i) {
    const y = height - values[i] / 255 * (height - 2);
    g.lineTo(Math.max(0, x(i * block)), y);
    g.lineTo(Math.min(width, x(Math.min((i + 1) * block, about.size))), y);
  }
  g.lineTo(width, height);
  g.closePath();
  g.globalAlpha = 0.25;
  g.fillStyle = css('link');
  g.fill();
  g.globalAlpha = 1;
  g.strokeStyle = css('link');
  g.stroke();
}

function segmentAt(offset) {
  let low = 0, high = segments.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (segments[middle].start <= offset)
      low = middle;
    else
      high = middle - 1;
  }
  const s = segments[low];
  return s && s.start <= offset && offset < s.end ? s : null;
}

function describeOffset(offset) {
  const s = segmentAt(offset), bits = meanEntropy(offset, offset + 1);
  return [
    hex(offset) + (s ? '  ' + kRanges[s.range] : ''), s ? wayOf(s.index) : '',
    s ? hex(s.start) + '\u2013' + hex(s.end) + ', ' + size(s.end - s.start) : '',
    bits === null ? '' : 'entropy ' + bits.toFixed(2) + ' bits a byte'
  ];
}

function startStrip() {
  const canvas = make('canvas', {
    id: 'strip',
    height: 128,
    tabindex: 0,
    role: 'img',
    style: 'height:128px',
    'aria-label': 'The image from first to last byte with its entropy. Arrow keys walk the ranges.'
  });
  const legend = kRanges.map((r) => make('span', {}, make('i', {style: 'background:' + color(r)}), r));
  add(byId('strip-box'), canvas, make('div', {class: 'axis', id: 'strip-axis'}),
      make(
          'div', {class: 'legend'}, legend,
          make('span', {}, make('i', {style: 'background:' + color('link')}), 'entropy, 0 to 8 bits a byte')));
  const offsetAt = (event) => {
    const box = canvas.getBoundingClientRect();
    return Math.min(
        strip.end - 1, strip.start + Math.floor((event.clientX - box.left) / box.width * (strip.end - strip.start)));
  };
  canvas.addEventListener('mousemove', (event) => showHover(event, ...describeOffset(offsetAt(event))));
  canvas.addEventListener('mouseleave', hideHover);
  canvas.addEventListener('click', (event) => {
    const s = segmentAt(offsetAt(event));
    if (s) zoomTo(s.index);
  });
  canvas.addEventListener('keydown', (event) => {
    if (event.key !== 'ArrowRight' && event.key !== 'ArrowLeft') return;
    event.preventDefault();
    const now = strip.cursor === null ? -1 : segments.indexOf(segmentAt(strip.cursor));
    const next = segments[Math.max(0, Math.min(segments.length - 1, now + (event.key === 'ArrowRight' ? 1 : -1)))];
    if (!next) return;
    strip.cursor = next.start;
    drawStrip();
    const box = canvas.getBoundingClientRect();
    showHover(
        {
          clientX: box.left + (next.start - strip.start) / (strip.end - strip.start) * box.width,
          clientY: box.bottom - 20
        },
        ...describeOffset(next.start));
  });
  drawStrip();
}
