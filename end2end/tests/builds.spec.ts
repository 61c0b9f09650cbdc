import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Holter } from '../fixtures/server';
import { expect, open, test, tile } from '../fixtures/test';

/** A Jenkins server that answers one job for one user, and counts who asks. */
async function jenkins(): Promise<{ url: string; asked: () => number; server: Server }> {
  let asked = 0;
  const builds = [
    { number: 12, url: 'http://127.0.0.1/job/12/', result: 'UNSTABLE', timestamp: 1_770_000_000_000, duration: 65_000,
      actions: [{}, { totalCount: 10, failCount: 2, skipCount: 0 }] },
    { number: 11, url: 'http://127.0.0.1/job/11/', result: 'SUCCESS', timestamp: 1_769_900_000_000, duration: 61_000,
      description: 'All Tests: 9 tests (9 OK, 0 FAIL)', actions: [] },
  ];
  const server = createServer((request, response) => {
    asked += 1;
    const user = `Basic ${Buffer.from('holter:s3cret').toString('base64')}`;
    const known = request.headers.authorization === user && request.url?.startsWith('/job/rigs/job/nightly/api/json?tree=');
    response.writeHead(known ? 200 : 403, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ builds }));
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, asked: () => asked, server };
}

const config = (url: string, token = 's3cret') => `
[builds]
allowed_hosts = ["127.0.0.1"]
[[setups]]
name = "bench-1"
comment = "left of the door"
jenkins = { url = "${url}", job = "rigs/nightly", user = "holter", token = "${token}" }
`;

test('the latest builds open in a popup, asked for once', async ({ page }) => {
  const ci = await jenkins();
  const holter = await new Holter().start(config(ci.url));
  await open(page, holter.url);
  await tile(page, 'bench-1').locator('[data-test="builds-button"]').click();
  const builds = page.locator('[data-test="build"]');
  await expect(builds).toHaveCount(2);
  await expect(builds.first()).toContainText('12');
  await expect(builds.first()).toContainText(/8\s*\/\s*10/);
  await expect(builds.nth(1)).toContainText(/9\s*\/\s*9/);
  await page.keyboard.press('Escape');
  await expect(builds.first()).toBeHidden();
  await tile(page, 'bench-1').locator('[data-test="builds-button"]').click();
  await expect(builds).toHaveCount(2);
  expect(ci.asked()).toBe(1);
  await holter.remove();
  ci.server.close();
});

test('a server that refuses is named, with what to do', async ({ page }) => {
  const ci = await jenkins();
  const holter = await new Holter().start(config(ci.url, 'wrong'));
  await open(page, holter.url);
  await tile(page, 'bench-1').locator('[data-test="builds-button"]').click();
  await expect(page.locator('[data-test="builds-error"]')).toContainText('refused the user or token');
  await holter.remove();
  ci.server.close();
});
