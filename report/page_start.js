// The top of the page, and the order in which everything is drawn.

function startHeader() {
  document.title = 'Assay: ' + plain(about.name);
  const pair = (term, ...value) => make('div', {}, make('dt', {}, term), make('dd', {}, ...value));
  add(byId('top'), make('div', {class: 'kicker'}, 'Assay firmware examination'),
      make('h1', {}, make('bdi', {}, about.name)),
      make(
          'dl', {},
          pair(about.directory ? 'directory,' : 'size', size(about.size) + ' (' + grouped(about.size) + ' bytes)'),
          pair('sha256', make('span', {class: 'mono'}, about.sha256)), pair('judged as of', about.as_of),
          pair('assay', about.tool), pair('rules', make('span', {class: 'mono'}, about.rules_digest.slice(0, 16))),
          about.declaration ? pair('declaration', make('span', {class: 'mono'}, about.declaration.slice(0, 16))) : null,
          about.keys.map(
              ([format, digest]) => pair('key for ' + format, make('span', {class: 'mono'}, digest.slice(0, 16))))));
}

// What was not looked at stands before what was found.
function startVerdict() {
  const section = byId('verdict'), bytes = about.bytes, files = about.files;
  const known = bytes.total - bytes.unknown - bytes.encrypted;
  if (about.complete) {
    const problems = data.tables.find((t) => t.id === 'problems'), n = problems.rows.length + (problems.left_off || 0);
    const rest = [
      bytes.unknown ? size(bytes.unknown) + ' are unknown' : '',
      files.unread ? many(files.unread, 'file is', 'files are') + ' unread' : '',
      n ? many(n, 'problem', 'problems') + ' while reading' : ''
    ].filter(Boolean);
    add(section,
        make(
            'p', {class: 'calm'},
            'Complete. ' + percent(known, bytes.total) + ' of the bytes are accounted for' +
                (rest.length ? '; ' + rest.join('; ') + ' (listed below).' : '.')));
  } else {
    add(section,
        make(
            'div', {class: 'alert'}, make('strong', {}, 'Incomplete. Not looked at:'),
            make('ul', {}, about.because.map((why) => make('li', {}, why)))));
  }
  const counts = make('div', {class: 'counts'});
  for (const severity of kSeverities) {
    const n = data.findings.filter((f) => f.severity === severity).length;
    add(counts,
        make(
            'button', {
              type: 'button',
              class: n ? '' : 'none',
              style: '--of:' + color(severity),
              'data-severity': severity,
              'aria-pressed': 'false',
              on: {
                click: () => {
                  if (n) {
                    toggleSeverity(severity);
                    byId('findings').scrollIntoView();
                  }
                }
              }
            },
            make('b', {}, n), severity));
  }
  const bar = make('div', {
    class: 'bar',
    role: 'img',
    'aria-label': kRanges.map((r) => r + ' ' + percent(bytes[r], bytes.total)).join(', ')
  });
  for (const r of kRanges)
    if (bytes[r])
      add(bar, make('i', {
            style: 'background:' + color(r) + ';flex:' + bytes[r] + ' 0 ' +
                (r === 'unknown' || r === 'encrypted' ? '2px' : '0')
          }));
  const legend = kRanges.map(
      (r) => make('span', {}, make('i', {style: 'background:' + color(r)}), r + ' ' + percent(bytes[r], bytes.total)));
  const facts = [[known, bytes.total, 'bytes accounted for'], [files.read, files.total, 'files read']]
                    .filter(([, total]) => total > 0)
                    .map(
                        ([n, total, words]) =>
                            make('span', {}, make('b', {}, grouped(n)), ' of ' + grouped(total) + ' ' + words));
  add(section, counts, bar, make('div', {class: 'legend'}, legend),
      make(
          'div', {class: 'facts'}, facts,
          make(
              'span', {}, about.code.read ? make('b', {}, grouped(about.code.functions)) : 'code not read',
              about.code.read ?
                  ' functions; of indirect jumps ' + percent(about.code.jumps_resolved, about.code.jumps) +
                      ', of indirect calls ' + percent(about.code.calls_resolved, about.code.calls) + ' resolved' :
                  ''),
          make(
              'span', {}, make('b', {}, grouped(artifacts.length)),
              artifacts.length === 1 ? ' artifact' : ' artifacts'),
          make('span', {}, make('b', {}, data.rules.length), ' rules asked')));
}

function startContents() {
  const list = make('ul');
  const link = (id, words, count) =>
      add(list,
          make(
              'li', {}, make('a', {href: '#' + id}, words),
              count === undefined ? null : make('span', {class: 'count'}, ' ' + grouped(count))));
  link('top', 'Result');
  link('map', 'Bytes');
  link('findings', 'Findings', data.findings.length);
  link('tree', 'Tree', artifacts.length);
  if (code.programs.length) link('code', 'Code', code.programs.length);
  for (const table of data.tables)
    if (table.rows.length) link(table.id, table.title, table.rows.length + (table.left_off || 0));
  add(byId('contents'), list);
}

// Paper cannot unfold: before printing everything of a reasonable length is opened, afterwards put back.
function startPrinting() {
  let opened = [];
  window.addEventListener('beforeprint', () => {
    opened = [...document.querySelectorAll('.finding:not([open]):not([hidden])')].slice(0, 300);
    for (const row of opened) {
      row.open = true;
      openFinding(row, data.findings[findingRows.indexOf(row)]);
    }
  });
  window.addEventListener('afterprint', () => {
    for (const row of opened) row.open = false;
  });
}

startHeader();
startVerdict();
startContents();
startFindings();
startTree();
if (about.directory || !about.size)
  byId('strip-box').remove();
else
  startStrip();
if (artifacts.length)
  startMap();
else
  byId('map').remove();
startCode();
startTables();
startPrinting();
add(byId('end'),
    make(
        'p', {},
        'Written by Assay ' + about.tool + '. A finding states a mechanism and its place, not an intent. ' +
            'Facts that this page leaves out (imports, exports, file types) stand in the JSON report.'));
let redraw = 0;
window.addEventListener('resize', () => {
  clearTimeout(redraw);
  redraw = setTimeout(() => {
    if (byId('treemap')) drawMap();
    drawStrip();
  }, 120);
});
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => drawStrip());
document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') hideHover();
});
followHash();
window.addEventListener('hashchange', followHash);
document.documentElement.dataset.ready = 'yes';
