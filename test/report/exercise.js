// Does what a person does on the page, and leaves what came of it in the root element for page_test.py to judge.
{
  const root = document.documentElement, seen = {};
  const key = (element, name) =>
      element.dispatchEvent(new KeyboardEvent('keydown', {key: name, bubbles: true, cancelable: true}));
  const type = (input, words) => {
    input.value = words;
    input.dispatchEvent(new Event('input'));
  };
  const shownFindings = () => document.querySelectorAll('.finding:not([hidden])').length;
  const all = shownFindings();

  for (const chip of document.querySelectorAll('#findings button[data-severity]')) {
    chip.click();
    seen.filtered = shownFindings() < all &&
        shownFindings() ===
            document.querySelectorAll('.finding:not([hidden])[data-severity=' + chip.dataset.severity + ']').length;
    chip.click();
  }
  type(byId('finding-words'), 'no such words');
  seen.none = shownFindings() === 0;
  type(byId('finding-words'), '');
  byId('finding-rule').value = data.findings[0].rule;
  byId('finding-rule').dispatchEvent(new Event('change'));
  seen.rule = shownFindings() === data.findings.filter((f) => f.rule === data.findings[0].rule).length;
  showFinding(all - 1);
  seen.shown = shownFindings() === all && findingRows[all - 1].open;
  window.dispatchEvent(new Event('beforeprint'));
  seen.bodies = document.querySelectorAll('.finding .body').length;
  seen.commands = [...document.querySelectorAll('.finding .command code')].map((c) => c.textContent);
  seen.marked = [...document.querySelector('.finding pre.hex').querySelectorAll('mark')].map((m) => m.textContent);
  window.dispatchEvent(new Event('afterprint'));

  for (let closed; (closed = document.querySelector('#nodes [aria-expanded=false]'));) key(closed, 'ArrowRight');
  for (let more; (more = document.querySelector('#nodes .more'));) more.click();
  seen.rows = document.querySelectorAll('#nodes [role=treeitem]').length;
  const first = document.querySelector('#nodes [role=treeitem]');
  key(first, 'ArrowDown');
  seen.walked = document.activeElement.dataset.index;
  seen.details = byId('picked-box').textContent.length > 20;
  key(first, 'ArrowLeft');
  seen.folded = document.querySelectorAll('#nodes [role=treeitem]').length;
  type(byId('tree-filter'), 'passwd');
  seen.matches = document.querySelectorAll('#nodes [role=treeitem]').length;
  reveal(artifacts.length - 1);
  seen.revealed = picked === artifacts.length - 1 && byId('tree-filter').value === '';

  for (const mode of document.querySelectorAll('#treemap-box button[aria-pressed]')) mode.click();
  const map = byId('treemap');
  key(map, 'ArrowRight');
  key(map, 'Enter');
  key(map, 'Backspace');
  map.querySelector('rect').dispatchEvent(new MouseEvent('mousemove', {bubbles: true}));
  seen.hover = byId('hover').textContent;
  map.querySelector('rect').dispatchEvent(new MouseEvent('click', {bubbles: true}));
  key(byId('strip'), 'ArrowRight');
  byId('strip').dispatchEvent(new MouseEvent('mousemove', {bubbles: true, clientX: 200, clientY: 300}));
  seen.strip = byId('hover').textContent;

  for (const fold of document.querySelectorAll('#tables details')) {
    fold.open = true;
    fold.dispatchEvent(new Event('toggle'));
  }
  const heads = document.querySelectorAll('#permissions thead button:not([disabled])');
  heads[1].click();
  const modes =
      () => [...document.querySelectorAll('#permissions tbody tr td:nth-child(2)')].map((cell) => cell.textContent);
  seen.sorted = modes();
  heads[1].click();
  seen.reversed = modes();
  type(document.querySelector('#permissions input'), 'setuid');
  seen.table = modes().length;

  seen.blocks = document.querySelectorAll('#code svg.graph g.block').length;
  const functions = () => document.querySelectorAll('#functions tbody tr').length;
  seen.functions = functions();
  for (const block of document.querySelectorAll('#code g.block'))
    block.dispatchEvent(new MouseEvent('click', {bubbles: true}));
  seen.hot = document.querySelectorAll('#code .line.hot').length;
  const shown = [...document.querySelectorAll('#code [data-function]')];
  seen.listings = shown.map((button) => {
    button.click();
    return document.querySelector('#code pre.listing').textContent;
  });
  type(byId('code-filter'), 'gate::');
  seen.gates = functions();
  byId('code-program').dispatchEvent(new Event('change'));

  // Every byte of the image stands in one range of the strip, and the sums are those of the report.
  let at = 0;
  const sums = {};
  for (const s of segments) {
    if (s.start !== at) sums.gap = at;
    at = s.end;
    sums[kRanges[s.range]] = (sums[kRanges[s.range]] || 0) + s.end - s.start;
  }
  seen.sums = sums;
  root.dataset.exercised = JSON.stringify(seen);
}
