// Machine code: a program's functions, the instructions of those that say most, and the picture of their blocks.

const kFunctionsAtOnce = 400, kNotesInBlock = 3, kLongestNote = 27;
const code = data.code;
const shortened = (text, most) => text.length > most ? text.slice(0, most - 1) + '\u2026' : text;

function functionName(address, name) { return '0x' + address + (name ? ' <' + name + '>' : ''); }

function blockNodes(listing, pick) {
  const index = new Map(listing.blocks.map((b, i) => [b[0], i]));
  return listing.blocks.map(([start, end, next]) => {
    const from = BigInt('0x' + start), to = BigInt('0x' + end);
    const lines = listing.lines.filter((l) => {
      const at = BigInt('0x' + l[0]);
      return at >= from && at < to;
    });
    const notes = lines.filter((l) => l[2]).map((l) => shortened(l[2], kLongestNote));
    const more = notes.length > kNotesInBlock ? ['\u2026 ' + (notes.length - kNotesInBlock) + ' more'] : [];
    return {
      lines: ['0x' + start, ...notes.slice(0, kNotesInBlock), ...more],
      next: [...new Set(next)].filter((n) => index.has(n)).map((n) => index.get(n)),
      pick: () => pick(start)
    };
  });
}

function drawListing(program, listing, box) {
  const rows = new Map(), pre = make('pre', {class: 'listing', tabindex: 0});
  const starts = new Set(listing.blocks.map((b) => b[0]));
  for (const [address, text, note] of listing.lines) {
    const row = make(
        'span', {class: starts.has(address) ? 'line first' : 'line'},
        make('span', {class: 'at'}, '0x' + address + '  '), make('bdi', {}, text),
        note ? make('span', {class: 'note'}, '  ; ', make('bdi', {}, note)) : null, '\n');
    rows.set(address, row);
    add(pre, row);
  }
  const pick = (address) => {
    for (const row of rows.values()) row.classList.remove('hot');
    const row = rows.get(address);
    if (!row) return;
    row.classList.add('hot');
    row.scrollIntoView({block: 'nearest'});
  };
  const command = 'assay disasm ' + about.name + ' \'' + program.way + '\' 0x' + listing.address;
  box.replaceChildren();
  add(box, make('h3', {}, make('bdi', {}, functionName(listing.address, listing.name))),
      make('div', {class: 'command'}, make('code', {}, command), copyButton(command)));
  if (listing.callers.length)
    add(box,
        make(
            'p', {class: 'soft'}, 'Called by ',
            listing.callers.slice(0, 12)
                .map(
                    ([caller, name, , how], i) =>
                        [i ? ', ' : '', make('bdi', {class: 'mono'}, functionName(caller, name)),
                         how === 'direct' ? '' : ' (' + how + ')'])
                .flat(),
            listing.callers.length > 12 ?
                ' and ' + (listing.callers.length - 12 + listing.callers_left_off) + ' more' :
                ''));
  const graph = make('div', {class: 'graph-box', tabindex: 0});
  if (listing.blocks.length > kMostBlocks)
    add(graph,
        make('p', {class: 'soft'}, 'No picture: ' + listing.blocks.length + ' blocks are more than it can show.'));
  else if (listing.blocks.length)
    add(graph, drawGraph(blockNodes(listing, pick), 'Blocks of the function at 0x' + listing.address));
  add(box, make('div', {class: 'code-panes'}, pre, graph));
  if (listing.left_off)
    add(box,
        make('p', {class: 'soft'}, many(listing.left_off, 'instruction', 'instructions') + ' more are left out here.'));
}

function drawProgram(program, box) {
  const shown = new Map(program.listings.map((l) => [l.address, l]));
  const list = make('tbody'), count = make('span', {class: 'soft'}), view = make('div', {class: 'code-view'});
  const filter = make(
      'input',
      {type: 'search', id: 'code-filter', placeholder: 'Filter functions \u2026', 'aria-label': 'Filter functions'});
  let limit = kFunctionsAtOnce;
  const more = make('button', {
    type: 'button',
    class: 'more',
    on: {
      click: () => {
        limit += 2000;
        draw();
      }
    }
  });
  const cell = ([address, , , , name]) => {
    const label = make('bdi', {class: 'mono'}, functionName(address, name)), listing = shown.get(address);
    if (!listing) return label;
    return make(
        'button', {
          class: 'link',
          type: 'button',
          'data-function': address,
          on: {click: () => drawListing(program, listing, view)}
        },
        label);
  };
  const draw = () => {
    const words = filter.value.trim().toLowerCase();
    // Those that can be shown stand first.
    const rows = program.functions.filter((f) => !words || functionName(f[0], f[4]).toLowerCase().includes(words))
                     .sort((a, b) => shown.has(b[0]) - shown.has(a[0]));
    list.replaceChildren(...rows.slice(0, limit).map(
        (f) => make(
            'tr', {}, make('td', {}, cell(f)), make('td', {class: 'num'}, grouped(f[1])), make('td', {}, f[2]),
            make('td', {}, f[3]))));
    count.textContent = words ? rows.length + ' of ' + program.functions.length :
                                many(program.functions.length, 'function', 'functions');
    more.hidden = rows.length <= limit;
    more.textContent = 'Show more (' + grouped(rows.length - limit) + ' left)';
  };
  filter.addEventListener('input', draw);
  draw();
  const head = ['function', 'bytes', 'found by', 'confidence'].map((name) => make('th', {scope: 'col'}, name));
  box.replaceChildren();
  add(box,
      make(
          'p', {class: 'soft'},
          program.processor + ', ' + many(program.instructions, 'instruction', 'instructions') + '; ',
          placeLink(program.artifact, 0),
          '. The instructions of ' + many(program.listings.length, 'function', 'functions') + ' are here.'),
      make('div', {class: 'tools'}, filter, count),
      make(
          'div', {class: 'table-box short'},
          make('table', {id: 'functions'}, make('thead', {}, make('tr', {}, head)), list)),
      more, view);
  if (program.listings.length) drawListing(program, program.listings[0], view);
}

function startCode() {
  const section = byId('code');
  if (!code.programs.length) return section.remove();
  const box = make('div'), choice = make('select', {id: 'code-program', 'aria-label': 'Program'});
  code.programs.forEach((p, i) => add(choice, make('option', {value: i}, p.way)));
  choice.addEventListener('change', () => drawProgram(code.programs[Number(choice.value)], box));
  add(section, make('h2', {id: 'code-title'}, 'Code'),
      make(
          'p', {class: 'soft'},
          'Programs that serve the network or start by themselves stand first. Of each the functions that call most of what runs ' +
              'commands, checks secrets or talks to the network are shown; assay functions and assay disasm have all.' +
              (code.left_off ? ' Left out here: the code of ' + many(code.left_off, 'program', 'programs') + '.' : '')),
      make('div', {class: 'tools'}, choice), box);
  drawProgram(code.programs[0], box);
}
