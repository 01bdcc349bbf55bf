import { describe, expect, it } from 'vitest';
import { createServer } from '../../src/api/server.ts';
import { request } from '../support/request.ts';
import { buildServerDeps } from '../support/stub-services.ts';

const status = async (isLoopback: boolean, host: string): Promise<number> => {
  const app = createServer({ ...buildServerDeps(), isLoopback });
  return (await request(app).get('/api/v1/chains').set('Host', host)).status;
};

describe('a service for this machine alone', () => {
  it.each(['localhost', 'localhost:3000', '127.0.0.1:3000', '[::1]:3000', 'demo.localhost'])('answers under %s', async (host) => {
    expect(await status(true, host)).toBe(200);
  });

  it.each(['evil.example', 'evil.example:3000', '127.0.0.1.evil.example', 'localhost.evil.example', '10.0.0.1'])(
    'refuses %s, which a web page could have pointed here',
    async (host) => {
      expect(await status(true, host)).toBe(400);
    },
  );
});

it('a service for others answers under any name', async () => {
  expect(await status(false, 'portfolio.example')).toBe(200);
});
