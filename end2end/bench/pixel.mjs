// How long from a post until the page shows it. The page itself writes down when
// its document changed, so that the road back to this program is not counted.

import { pause, wallTime, withBrowser } from './browser.mjs';

const seenWithin = 5_000;

/** In the page: notes when the tile of a setup first shows each test's name. */
function watch(setup) {
  const seen = {};
  globalThis.benchSeen = seen;
  const now = () => performance.timeOrigin + performance.now();
  const look = () => {
    const rows = document.querySelectorAll('[data-test="tile"]');
    const tile = [...rows].find((row) => row.dataset.setup === setup);
    const name = tile?.textContent.match(/pixel-\d{5}/)?.[0];
    if (!name || seen[name]) return;
    const marks = { changed: now() };
    seen[name] = marks;
    requestAnimationFrame(() => {
      marks.drawn = now();
    });
  };
  new MutationObserver(look).observe(document, {
    subtree: true,
    childList: true,
    characterData: true,
    attributes: true,
  });
}

async function poster({ url, token, setup, run }) {
  const common = () => ({ at: new Date().toISOString(), setup, run, suite: ['Pixels'] });
  return async (name, before) => {
    const events = [{ type: 'test.started', test: name, ...common() }];
    if (before) events.unshift({ type: 'test.finished', test: before, verdict: 'passed', ...common() });
    const answer = await fetch(`${url}/api/v1/events`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(events),
    });
    if (answer.status !== 200) throw new Error(`the server answers ${answer.status}: ${await answer.text()}`);
    await answer.arrayBuffer();
  };
}

/** Waits until the page has drawn a name; gives what it noted, or nothing. */
async function noted(page, name) {
  const until = wallTime() + seenWithin;
  while (wallTime() < until) {
    const marks = await page.evaluate((name) => globalThis.benchSeen[name], name);
    if (marks?.drawn) return marks;
    await pause(20);
  }
  return null;
}

/** Until the page follows: names are posted until one is seen. */
async function warmUp(page, post) {
  for (let number = 0; number < 20; number += 1) {
    const name = `pixel-${String(90_000 + number)}`;
    await post(name, null);
    if (await noted(page, name)) return;
  }
  throw new Error('the page never shows what is posted');
}

await withBrowser(async (browser, what) => {
  const post = await poster(what);
  await post('pixel-99999', null);
  const page = await browser.newPage();
  await page.addInitScript(watch, what.setup);
  await page.goto(what.url, { waitUntil: 'load' });
  await warmUp(page, post);
  const found = { answered: [], changed: [], drawn: [], missed: 0 };
  let before = null;
  for (let number = 0; number < what.posts; number += 1) {
    const name = `pixel-${String(number).padStart(5, '0')}`;
    const sent = wallTime();
    await post(name, before);
    const answered = wallTime() - sent;
    const marks = await noted(page, name);
    if (marks) {
      found.answered.push(answered);
      found.changed.push(marks.changed - sent);
      found.drawn.push(marks.drawn - sent);
    } else {
      found.missed += 1;
    }
    before = name;
    // Uneven, so that posts do not fall into step with what the server gathers.
    await pause(20 + ((number * 37) % 83));
  }
  return found;
});
