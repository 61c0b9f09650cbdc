import { randomUUID } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { Page } from '@playwright/test';
import type { Holter } from '../fixtures/server';
import { accessible, expect, test } from '../fixtures/test';

/** More than a browser makes high: the bar is scaled. */
const LINES = 500_000;
const line = (number: number) =>
  number === 1234
    ? 'a Needle in the hay'
    : `${String(number).padStart(7, '0')} pressure of the pump is \x1b[32mwell\x1b[0m`;

const post = async (holter: Holter, path: string, body: BodyInit): Promise<any> => {
  const headers = typeof body === 'string' ? { 'content-type': 'application/json' } : undefined;
  const answer = await fetch(holter.url + path, { method: 'POST', headers, body });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer.status === 204 ? undefined : answer.json();
};

/** A worker that does what a test says, with one job. */
class Hand {
  private end = 0;
  private constructor(
    private readonly holter: Holter,
    private readonly worker: string,
    private readonly attempt: number,
    readonly job: string,
  ) {}

  static async take(holter: Holter): Promise<Hand> {
    const files = new FormData();
    // The program's own workers lack this label.
    files.set('name', 'hay');
    files.set('labels', 'hand');
    files.append('files', new Blob(['def test_a():\n    pass\n']), 'test_a.py');
    await post(holter, '/api/v1/batches', files);
    const instance = randomUUID();
    const hello = { name: 'hand', instance, slots: 1, labels: 'hand' };
    const { id } = await post(holter, '/api/v1/work/workers', JSON.stringify(hello));
    const order = await post(holter, '/api/v1/work/claim', JSON.stringify({ worker: id, instance, wait_seconds: 20 }));
    return new Hand(holter, id, order.attempt, order.job);
  }

  /** Puts out text; tells where it begins. */
  async say(text: string): Promise<number> {
    const start = this.end;
    const bytes = Buffer.from(text);
    const query = `worker=${this.worker}&attempt=${this.attempt}&start=${start}`;
    this.end = (await post(this.holter, `/api/v1/work/jobs/${this.job}/log?${query}`, gzipSync(bytes))).end;
    return start;
  }

  private body(steps: [string, string, number][], more = {}): string {
    const progress = { steps: steps.map(([name, state, log_start]) => ({ name, state, log_start })) };
    return JSON.stringify({ worker: this.worker, attempt: this.attempt, progress, ...more });
  }

  async is(steps: [string, string, number][]): Promise<void> {
    await post(this.holter, `/api/v1/work/jobs/${this.job}/extend`, this.body(steps));
  }

  async finish(result: string, steps: [string, string, number][]): Promise<void> {
    await post(this.holter, `/api/v1/work/jobs/${this.job}/finish`, this.body(steps, { result }));
  }
}

/** A job with a long log: of its three steps the last one failed. */
async function long(holter: Holter): Promise<Hand> {
  const hand = await Hand.take(holter);
  // Pieces end within lines, as those of workers do.
  let text = Array.from({ length: LINES }, (_, at) => `${line(at + 1)}\n`).join('');
  const second = text.indexOf(`${line(100_001)}\n`);
  const third = text.indexOf(`${line(LINES - 10)}\n`);
  for (; text.length > 0; text = text.slice(1_000_003)) await hand.say(text.slice(0, 1_000_003));
  await hand.finish('failed', [['fetch', 'passed', 0], ['build', 'passed', second], ['check', 'failed', third]]);
  return hand;
}

const log = (page: Page) => page.locator('[data-test="log"]');
const row = (page: Page, number: number) => page.locator(`.log-line[data-line="${number}"]`);
/** Brings the page to where its log is. */
const look = async (page: Page, address: string): Promise<void> => {
  await page.goto(address);
  await log(page).scrollIntoViewIfNeeded();
};
const rows = (page: Page) => page.locator('.log-line').count();

test('of a long log only what is looked at is drawn', async ({ page, holter }) => {
  const { job } = await long(holter);
  await look(page, `${holter.url}/jobs/${job}`);
  await expect(row(page, LINES)).toContainText(line(LINES).slice(0, 20));
  await expect(row(page, LINES)).toBeInViewport();
  expect(await rows(page)).toBeLessThan(400);
  await accessible(page);
  // What passed is folded beside what failed.
  const steps = page.locator('[data-test="log-step"]');
  await expect(steps).toHaveCount(3);
  await expect(steps.first()).toHaveAttribute('aria-expanded', 'false');
  await expect(steps.first()).toContainText('100,000 lines');
  await expect(row(page, 1)).toHaveCount(0);
  await steps.first().click();
  await expect(row(page, 1)).toBeInViewport();
  await page.locator('[data-test="log-fold"]').click();
  await expect(page.locator('.log-line')).toHaveCount(0);
  await expect(page.locator('[data-test="log-fold"]')).toHaveText('Unfold all');
  await steps.nth(1).focus();
  await page.keyboard.press('Enter');
  await expect(row(page, 100_001)).toBeInViewport();
  expect(await rows(page)).toBeLessThan(400);
  const raw = page.getByRole('link', { name: 'As text' });
  expect(await (await page.request.get(holter.url + (await raw.getAttribute('href')))).text()).toContain(line(7));
});

test('a link leads to its line, and keys go on from there', async ({ page, holter }) => {
  const { job } = await long(holter);
  await page.goto(`${holter.url}/jobs/${job}#L150000`);
  await expect(row(page, 150_000)).toBeInViewport();
  await expect(row(page, 150_000)).toContainText('0150000 pressure');
  await expect(row(page, 150_000)).toHaveAttribute('data-chosen', '');
  await row(page, 150_003).locator('a').click({ modifiers: ['Shift'] });
  await expect(page).toHaveURL(/#L150000-L150003$/);
  await expect(page.locator('.log-line[data-chosen]')).toHaveCount(4);
  await log(page).focus();
  await page.keyboard.press('PageDown');
  await expect(row(page, 150_000)).not.toBeInViewport();
  // A turn of the wheel is a few lines, however long the log is.
  await log(page).hover();
  await page.mouse.wheel(0, 300);
  await expect(row(page, 150_040)).toBeInViewport();
  await page.keyboard.press('End');
  await expect(row(page, LINES)).toBeInViewport();
  await page.keyboard.press('Home');
  await expect(page.locator('[data-test="log-step"]').first()).toBeInViewport();
  expect(await rows(page)).toBeLessThan(400);
});

test('a word is found wherever it is', async ({ page, holter }) => {
  const { job } = await long(holter);
  await look(page, `${holter.url}/jobs/${job}`);
  const field = page.locator('[data-test="log-find"]');
  const found = page.locator('[data-test="log-found"]');
  await field.fill('needle');
  await expect(found).toHaveText('1 of 1');
  await expect(row(page, 1234)).toBeInViewport();
  await expect(row(page, 1234)).toHaveAttribute('data-current', '');
  // The escapes of its colour are no part of a text.
  await field.fill('is well');
  await expect(found).toHaveText('1 of 1,000+');
  await field.press('Enter');
  await expect(found).toHaveText('2 of 1,000+');
  await field.press('Shift+Enter');
  await field.press('Shift+Enter');
  await expect(found).toHaveText('1,000 of 1,000+');
  await field.press('Enter');
  await expect(found).toHaveText('1,001 of 2,000+');
  await field.fill('nowhere to be seen');
  await expect(found).toHaveText('nothing found');
  await expect(page.locator('[data-found]')).toHaveCount(0);
});

test('what is put out is followed until somebody reads', async ({ page, holter }) => {
  const hand = await Hand.take(holter);
  await page.goto(`${holter.url}/jobs/${hand.job}`);
  await hand.is([['fetch', 'running', 0]]);
  await hand.say('first\nsec');
  await expect(row(page, 2)).toContainText('sec');
  await hand.say('ond\n10 %\r20 %\rdone\n');
  await expect(row(page, 2)).toHaveText('second');
  await expect(row(page, 3)).toHaveText('done');
  await expect(page.locator('[data-test="log-step"]')).toContainText('3 lines');
  const many = (from: number) => Array.from({ length: 50_000 }, (_, at) => `line ${from + at} of many\n`).join('');
  for (let from = 4; from < 200_000; from += 50_000) await hand.say(many(from));
  await log(page).scrollIntoViewIfNeeded();
  await expect(row(page, 200_003)).toBeInViewport();
  await log(page).hover();
  await page.mouse.wheel(0, -600);
  await expect(page.getByLabel('Follow')).not.toBeChecked();
  const start = await hand.say('the last line\n');
  await hand.is([['fetch', 'passed', 0], ['check', 'running', start]]);
  await expect(row(page, 200_004)).not.toBeInViewport();
  await page.getByLabel('Follow').check();
  await log(page).scrollIntoViewIfNeeded();
  await expect(row(page, 200_004)).toBeInViewport();
  await expect(page.locator('[data-test="log-step"]').last()).toContainText('check');
  await page.goto(`${holter.url}/jobs/${hand.job}#L3`);
  await page.reload();
  await expect(row(page, 3)).toHaveText('done');
});
