// The findings: each with its rule in words, its evidence in bytes, and the command that shows it again.

const rules = new Map(data.rules.map((r) => [r.id, r]));
const shown = {
  severity: new Set(),
  rule: '',
  words: ''
};

// Sixteen bytes a line, the evidence marked in both columns.
function hexDump(excerpt, from, to) {
  const out = make('pre', {class: 'hex', tabindex: 0}), bytes = excerpt.hex.match(/../g) || [];
  const first = Math.max(0, Math.floor((from - excerpt.offset) / 16) * 16 - 32);
  const last = Math.min(bytes.length, Math.max(first + 96, Math.ceil((to - excerpt.offset) / 16) * 16 + 32));
  const run = (cells, marked) => {
    if (cells) add(out, marked ? make('mark', {}, cells) : cells);
  };
  const column = (line, word, gap) => {  // neighbours of one kind share an element
    let cells = '', kind = false;
    line.forEach((byte, i) => {
      const offset = excerpt.offset + byte.at, marked = offset >= from && offset < to;
      const joint = i ? gap : '';
      if (marked !== kind) {
        run(cells + (kind ? '' : joint), kind);
        cells = kind ? joint : '';
        kind = marked;
      } else
        cells += joint;
      cells += word(byte.hex);
    });
    run(cells, kind);
  };
  const letter = (h) => {
    const n = parseInt(h, 16);
    return n >= 0x20 && n < 0x7f ? String.fromCharCode(n) : '\u00b7';
  };
  for (let at = first; at < last; at += 16) {
    const line = bytes.slice(at, Math.min(at + 16, last)).map((h, i) => ({hex: h, at: at + i}));
    add(out, make('span', {class: 'at'}, (excerpt.offset + at).toString(16).padStart(8, '0')), '  ');
    column(line, (h) => h, ' ');
    add(out, ' '.repeat((16 - line.length) * 3 + 2));
    column(line, letter, '');
    add(out, '\n');
  }
  return out;
}

function evidenceBox(evidence) {
  const where = evidence.length ? evidence.offset : 0;
  const box = make(
      'div', {class: 'evidence'}, placeLink(evidence.artifact, where, evidence.way),
      evidence.length ? make('span', {class: 'soft'}, ' \u00b7 ' + many(evidence.length, 'byte', 'bytes')) : null);
  if (evidence.shows) add(box, make('div', {}, make('q', {}, evidence.shows)));
  if (evidence.excerpt !== undefined)
    add(box, hexDump(data.excerpts[evidence.excerpt], evidence.offset, evidence.offset + evidence.length));
  return add(
      box,
      make('div', {class: 'command'}, make('code', {tabindex: 0}, evidence.command), copyButton(evidence.command)));
}

function findingBody(f) {
  const rule = rules.get(f.rule) || {}, rows = [];
  const say = (term, value) => {
    if (value) rows.push(make('dt', {}, term), make('dd', {}, value));
  };
  say('Means', rule.means);
  say('Misses', rule.misses);
  say('Mistakes', rule.mistakes);
  say('Confidence', f.confidence);
  say('Weakness', f.cwe.map((n) => 'CWE-' + n + ' (cwe.mitre.org/data/definitions/' + n + '.html)').join(', '));
  say('Requirements', f.requirements.join('; '));
  say('Identity', f.id + ', rule ' + f.rule + (rule.version ? ' version ' + rule.version : ''));
  const box = make('div', {class: 'body'}, make('dl', {class: 'rule'}, rows));
  add(box, make('h3', {}, many(f.evidence.length, 'piece of evidence', 'pieces of evidence')));
  const piece = (from) => {
    for (const e of f.evidence.slice(from, from + 20)) add(box, evidenceBox(e));
    if (f.evidence.length > from + 20) {
      const more = make(
          'button', {type: 'button', class: 'more'},
          'Show more evidence (' + (f.evidence.length - from - 20) + ' left)');
      more.addEventListener('click', () => {
        more.remove();
        piece(from + 20);
      });
      add(box, more);
    }
  };
  piece(0);
  return box;
}

function findingRow(f, n) {
  const row = make(
      'details',
      {class: 'finding', id: 'finding-' + f.id, style: '--of:' + color(f.severity), 'data-severity': f.severity},
      make(
          'summary', {}, make('span', {class: 'sev'}, f.severity), make('span', {class: 'title'}, f.title),
          make('span', {class: 'soft mono rule-id'}, f.rule), make('span', {class: 'claim'}, f.claim)));
  row.addEventListener('toggle', () => openFinding(row, f));
  return row;
}
function openFinding(row, f) {
  if (row.open && !row.querySelector('.body')) row.appendChild(findingBody(f));
}

function matches(f) {
  if (shown.severity.size && !shown.severity.has(f.severity)) return false;
  if (shown.rule && f.rule !== shown.rule) return false;
  if (!shown.words) return true;
  const text = [
    f.title, f.claim, f.rule, f.id, ...f.requirements, ...f.cwe.map((n) => 'cwe-' + n),
    ...f.evidence.map((e) => e.way + ' ' + e.shows)
  ].join(' ');
  return text.toLowerCase().includes(shown.words);
}

const findingRows = [];
function filterFindings() {
  let count = 0;
  data.findings.forEach((f, n) => {
    const on = matches(f);
    findingRows[n].hidden = !on;
    count += on;
  });
  byId('finding-count').textContent = count === data.findings.length ?
      many(count, 'finding', 'findings') :
      count + ' of ' + many(data.findings.length, 'finding', 'findings');
  for (const b of document.querySelectorAll('button[data-severity]'))
    b.setAttribute('aria-pressed', shown.severity.has(b.dataset.severity));
}
function toggleSeverity(severity) {
  if (!shown.severity.delete(severity)) shown.severity.add(severity);
  filterFindings();
}

function showFinding(n) {
  if (!matches(data.findings[n])) {
    shown.severity.clear();
    shown.rule = shown.words = byId('finding-rule').value = byId('finding-words').value = '';
    filterFindings();
  }
  findingRows[n].open = true;
  openFinding(findingRows[n], data.findings[n]);  // now: the toggle event comes after the scrolling
  findingRows[n].scrollIntoView({block: 'start'});
  findingRows[n].querySelector('summary').focus({preventScroll: true});
}

// page.html#finding-<id> opens that finding.
function followHash() {
  const n = data.findings.findIndex((f) => location.hash === '#finding-' + f.id);
  if (n >= 0) showFinding(n);
}

function startFindings() {
  const section = byId('findings'), used = [...new Set(data.findings.map((f) => f.rule))].sort();
  const words = make('input', {
    type: 'search',
    id: 'finding-words',
    placeholder: 'Filter by text, path, CWE, requirement \u2026',
    'aria-label': 'Filter the findings'
  });
  words.addEventListener('input', () => {
    shown.words = words.value.trim().toLowerCase();
    filterFindings();
  });
  const rule = make(
      'select', {id: 'finding-rule', 'aria-label': 'Rule'}, make('option', {value: ''}, 'every rule'),
      used.map((id) => make('option', {value: id}, id)));
  rule.addEventListener('change', () => {
    shown.rule = rule.value;
    filterFindings();
  });
  const chips = kSeverities.filter((s) => data.findings.some((f) => f.severity === s))
                    .map(
                        (s) => make(
                            'button', {
                              type: 'button',
                              'data-severity': s,
                              'aria-pressed': 'false',
                              style: 'color:' + color(s),
                              on: {click: () => toggleSeverity(s)}
                            },
                            s));
  add(section, make('h2', {id: 'findings-title'}, 'Findings'));
  if (!data.findings.length) {
    add(section,
        make('p', {}, 'No rule of this version spoke. What was not looked at stands at the top of this page.'));
    add(section, make('span', {id: 'finding-count', hidden: true}), make('input', {id: 'finding-words', hidden: true}),
        make('input', {id: 'finding-rule', hidden: true}));
    return;
  }
  add(section, make('div', {class: 'tools'}, chips, rule, words, make('span', {class: 'soft', id: 'finding-count'})));
  data.findings.forEach((f, n) => {
    findingRows.push(findingRow(f, n));
    add(section, findingRows[n]);
  });
  filterFindings();
}
