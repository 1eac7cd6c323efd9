// A function's blocks as a picture: layers from top to bottom, drawn as SVG. After Sugiyama: edges that lead back are
// turned around, every block lies below all that lead to it, long edges pass through a place of their own in each
// layer, and layers are ordered by where their neighbours stand.

const kNodeWidth = 190, kLineHeight = 14, kLayerGap = 34, kNodeGap = 16, kSweeps = 6, kMostBlocks = 80;

// nodes: [{lines, next: [index]}], the first is the entry. Returns layers of places and edges as lists of places.
function layered(nodes) {
  const state = new Array(nodes.length).fill(0), order = [], back = new Set();
  const roots = nodes.map((_, i) => i);  // blocks that nothing reaches start trees of their own
  for (const root of roots) {
    if (state[root]) continue;
    const stack = [[root, 0]];
    state[root] = 1;
    while (stack.length) {
      const top = stack[stack.length - 1], [node, at] = top;
      if (at === nodes[node].next.length) {
        state[node] = 2;
        order.unshift(node);
        stack.pop();
        continue;
      }
      ++top[1];
      const to = nodes[node].next[at];
      if (state[to] === 1)
        back.add(node + '>' + to);
      else if (!state[to]) {
        state[to] = 1;
        stack.push([to, 0]);
      }
    }
  }
  const layer = new Array(nodes.length).fill(0);
  const edges = [];
  nodes.forEach((node, i) => node.next.forEach((to) => {
    if (i !== to) edges.push({from: i, to, back: back.has(i + '>' + to)});
  }));
  for (const node of order)
    for (const e of edges)
      if (!e.back && e.from === node) layer[e.to] = Math.max(layer[e.to], layer[node] + 1);
  const places = nodes.map((node, i) => ({node: i, layer: layer[i], up: [], down: [], width: kNodeWidth}));
  const link = (a, b) => {
    a.down.push(b);
    b.up.push(a);
  };
  for (const e of edges) {
    const [upper, lower] = layer[e.from] <= layer[e.to] ? [e.from, e.to] : [e.to, e.from];
    e.path = [places[upper]];
    for (let l = layer[upper] + 1; l < layer[lower]; ++l) {
      const pass = {node: -1, layer: l, up: [], down: [], width: 12};
      places.push(pass);
      link(e.path[e.path.length - 1], pass);
      e.path.push(pass);
    }
    link(e.path[e.path.length - 1], places[lower]);
    e.path.push(places[lower]);
    e.turned = upper !== e.from;
  }
  const layers = [];
  for (const p of places) (layers[p.layer] = layers[p.layer] || []).push(p);
  for (const row of layers)
    row.forEach((p, i) => {
      p.at = i;
    });
  for (let sweep = 0; sweep < kSweeps; ++sweep) {
    const down = sweep % 2 === 0;
    for (const row of down ? layers : layers.slice().reverse()) {
      for (const p of row) {
        const near = down ? p.up : p.down;
        p.want = near.length ? near.reduce((sum, q) => sum + q.at, 0) / near.length : p.at;
      }
      row.sort((a, b) => a.want - b.want || a.at - b.at);
      row.forEach((p, i) => {
        p.at = i;
      });
    }
  }
  return {layers, edges};
}

// Sets x and y of every place; returns the picture's size.
function placed(layers, nodes) {
  let y = 8, width = 0;
  for (const row of layers) {
    let x = 0, height = 0;
    for (const p of row) {
      p.x = x;
      x += p.width + kNodeGap;
      p.height = p.node < 0 ? 0 : nodes[p.node].lines.length * kLineHeight + 8;
      height = Math.max(height, p.height);
    }
    row.width = x - kNodeGap;
    width = Math.max(width, row.width);
    for (const p of row) p.y = y;
    row.height = height;
    y += height + kLayerGap;
  }
  for (const row of layers)
    for (const p of row) {
      p.x += (width - row.width) / 2 + 8;
      if (p.node < 0) p.height = row.height;
    }
  return {width: width + 16, height: y - kLayerGap + 12};
}

function edgePath(edge) {
  const middle = (p) => p.x + p.width / 2;
  let d = '';
  edge.path.forEach((p, i) => {
    if (i === 0) {
      d = 'M' + middle(p) + ' ' + (p.y + p.height);
      return;
    }
    const before = edge.path[i - 1], y1 = before.y + before.height, bend = Math.max(14, (p.y - y1) / 2);
    d += 'C' + middle(before) + ' ' + (y1 + bend) + ' ' + middle(p) + ' ' + (p.y - bend) + ' ' + middle(p) + ' ' + p.y;
    if (p.node < 0) d += 'L' + middle(p) + ' ' + (p.y + p.height);
  });
  return d;
}

// An arrow's head at the end where control arrives.
function edgeHead(edge) {
  const last = edge.turned ? edge.path[0] : edge.path[edge.path.length - 1];
  const x = last.x + last.width / 2, y = edge.turned ? last.y + last.height : last.y, up = edge.turned ? 1 : -1;
  return 'M' + x + ' ' + y + 'l-4 ' + 7 * up + 'h8z';
}

// nodes: [{lines: [text], next: [index], pick: f}]
function drawGraph(nodes, label) {
  const {layers, edges} = layered(nodes), size = placed(layers, nodes);
  const svg = make('svg', {
    class: 'graph',
    width: size.width,
    height: size.height,
    viewBox: '0 0 ' + size.width + ' ' + size.height,
    role: 'img',
    'aria-label': label
  });
  for (const e of edges)
    add(svg, make('path', {d: edgePath(e), class: e.turned || e.back ? 'edge back' : 'edge'}),
        make('path', {d: edgeHead(e), class: 'head'}));
  for (const row of layers)
    for (const p of row) {
      if (p.node < 0) continue;
      const node = nodes[p.node], box = make('g', {class: 'block', on: {click: node.pick}});
      add(box, make('rect', {x: p.x, y: p.y, width: p.width, height: p.height, rx: 4}));
      node.lines.forEach(
          (line, i) =>
              add(box, make('text', {x: p.x + 7, y: p.y + 15 + i * kLineHeight, class: i ? 'note' : ''}, line)));
      add(svg, box);
    }
  return svg;
}
