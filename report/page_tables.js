// The tables of facts: sorted by a click on a column, filtered by a word, drawn when they are opened.

const kRowsAtOnce = 150, kShort = 28;
const kWords = new Set(['yes', 'no', 'full', 'partial', 'none', 'not known', 'n/a']);
// In these columns "yes" is what a defender wants; in the others it is only a word.
const kWanted = {
  elf: ['NX', 'PIE', 'RELRO', 'canary', 'FORTIFY'],
  update: ['signature checked'],
  services: ['asks for a secret'],
  routes: ['asks for a login']
};

function cellClass(table, column, value) {
  if (typeof value === 'number') return 'num';
  if (value.length > kShort) return 'long';
  if (!kWords.has(value)) return '';
  if (value === 'not known' || value === 'n/a') return 'not';
  if (!(kWanted[table.id] || []).includes(column)) return '';
  return value === 'yes' || value === 'full' ? 'yes' : value === 'partial' ? 'half' : 'no';
}

function compareCells(x, y) {
  if (typeof x === 'number' && typeof y === 'number') return x - y;
  if (x === '' || y === '') return x === y ? 0 : x === '' ? 1 : -1;
  return String(x) < String(y) ? -1 : String(x) > String(y) ? 1 : 0;
}

function drawTable(table, box) {
  // Columns in which no row says anything are left out.
  const columns =
      table.columns.map((name, i) => ({name, i: i + 2})).filter((c) => table.rows.some((r) => r[c.i] !== ''));
  let order = null, down = false, words = '', limit = kRowsAtOnce;
  const body = make('tbody'), count = make('span', {class: 'soft'});
  const more = make('button', {
    type: 'button',
    class: 'more',
    on: {
      click: () => {
        limit += 1000;
        draw();
      }
    }
  });
  const heads = columns.map((c) => {
    const th = make('th', {scope: 'col', class: table.rows.some((r) => typeof r[c.i] === 'number') ? 'num' : ''});
    add(th,
        make(
            'button', {
              type: 'button',
              on: {
                click: () => {
                  down = order === c.i && !down;
                  order = c.i;
                  for (const other of heads) other.removeAttribute('aria-sort');
                  th.setAttribute('aria-sort', down ? 'descending' : 'ascending');
                  draw();
                }
              }
            },
            c.name));
    return th;
  });
  const draw = () => {
    let rows = table.rows;
    if (words)
      rows = rows.filter(
          (r) => (r.slice(2).join(' ') + ' ' + (r[0] >= 0 ? wayOf(r[0]) : '')).toLowerCase().includes(words));
    if (order !== null) rows = rows.slice().sort((x, y) => (down ? -1 : 1) * compareCells(x[order], y[order]));
    body.replaceChildren(...rows.slice(0, limit).map(
        (r) => make(
            'tr', {},
            columns.map(
                (c) => make(
                    'td', {class: cellClass(table, c.name, r[c.i])},
                    c.name === 'port' || typeof r[c.i] !== 'number' ? make('bdi', {}, r[c.i]) : grouped(r[c.i]))),
            make(
                'td', {class: 'long'},
                placeLink(r[0], r[1], r[0] > 0 ? wayOf(r[0]).slice(artifacts[0].name.length + 1) : undefined)))));
    count.textContent = words ? rows.length + ' of ' + table.rows.length : many(table.rows.length, 'row', 'rows');
    if (table.left_off) count.textContent += '; ' + grouped(table.left_off) + ' more stand in the JSON report';
    more.hidden = rows.length <= limit;
    more.textContent = 'Show more (' + grouped(rows.length - limit) + ' left)';
  };
  const filter =
      make('input', {type: 'search', placeholder: 'Filter these rows \u2026', 'aria-label': 'Filter ' + table.title});
  filter.addEventListener('input', () => {
    words = filter.value.trim().toLowerCase();
    draw();
  });
  if (table.note) add(box, make('p', {class: 'soft'}, table.note));
  if (table.rows.length > 8) add(box, make('div', {class: 'tools'}, filter, count));
  add(box,
      make(
          'div', {class: 'table-box', tabindex: 0},
          make(
              'table', {},
              make(
                  'thead', {},
                  make(
                      'tr', {}, heads,
                      make('th', {scope: 'col'}, make('button', {type: 'button', disabled: true}, 'where')))),
              body)),
      more);
  draw();
}

const kOpen = ['problems', 'unread', 'encrypted', 'services', 'accounts', 'keys', 'startup', 'components', 'elf'];
function startTables() {
  const empty = [];
  for (const table of data.tables) {
    if (!table.rows.length) {
      empty.push(table.title.toLowerCase());
      continue;
    }
    const box = make('div'),
          details = make(
              'details', {},
              make(
                  'summary', {}, make('h2', {}, table.title),
                  make('span', {class: 'soft'}, '  ' + grouped(table.rows.length + (table.left_off || 0)))),
              box);
    const fill = () => {
      if (details.open && !box.firstChild) drawTable(table, box);
    };
    details.addEventListener('toggle', fill);
    details.open = kOpen.includes(table.id) || table.rows.length <= 8;
    fill();
    add(byId('tables'), make('section', {id: table.id}, details));
  }
  if (empty.length)
    add(byId('tables'),
        make('section', {}, make('p', {class: 'soft'}, 'Nothing was read of: ' + empty.join(', ') + '.')));
}
