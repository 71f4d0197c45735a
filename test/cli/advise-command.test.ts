import { describe, expect, it } from 'vitest';
import type { AdviceView } from '../../src/admin/api.js';
import { startAdmin } from './fake-admin.js';
import { ringproxy } from './run.js';

const ADVICE: AdviceView = {
  commands: 1300,
  refused: 1234,
  hashTags: ['user:{*}:', '{q}:'],
  missing: [{ proxy: 'p2', why: 'it is away' }],
  advice: [
    {
      command: 'EVALSHA',
      calls: 1234,
      refused: 1234,
      keys: ['user:*:likes', 'user:*:follows'],
      tagged: ['user:{*}:likes', 'user:{*}:follows'],
      patterns: ['user:{*}:'],
      scope: 'value',
      example: ['user:1:likes', 'user:1:follows'],
    },
    {
      command: 'RENAME',
      calls: 60,
      refused: 0,
      keys: ['q:a', 'q:b'],
      tagged: ['{q}:a', '{q}:b'],
      patterns: ['{q}:'],
      scope: 'prefix',
      example: [],
    },
    {
      command: 'MGET',
      calls: 6,
      refused: 0,
      keys: ['page:*'],
      tagged: null,
      patterns: null,
      scope: null,
      example: ['page:1'],
    },
  ],
};

describe('ringproxy advise', () => {
  it('prints the keys beside the hash tags that would bring them together, and what programs read', async () => {
    const asked: string[] = [];
    const admin = await startAdmin((server) => {
      server.get('/v1/advice', (request) => {
        asked.push(request.url);
        return ADVICE;
      });
    });
    const env = { RINGPROXY_ADMIN: admin };
    const text = await ringproxy(['advise'], env);
    expect(text).toMatchObject({ code: 0, err: '' });
    expect(text.out.split('\n').map((line) => line.trim().replace(/ {2,}/g, '  '))).toEqual([
      'without proxy p2: it is away',
      '1,300 commands have had keys on several nodes since the proxies were started; 1,234 of them were refused',
      '',
      'COMMANDS  COMMAND  KEYS  WITH A HASH TAG',
      '1,234  EVALSHA (refused)  user:*:likes  user:{*}:likes',
      'user:*:follows  user:{*}:follows',
      '60  RENAME  q:a  {q}:a (one node)',
      'q:b  {q}:b',
      '6  MGET  page:*  - nothing in common',
      '',
      'Keys with the same text in {…} are on one node: rename them where the application makes them.',
      '(one node) has all of these keys then: for a few keys, such as those of a queue.',
      '',
      'Or leave the names as they are, and start a ring on empty nodes with',
      'ring:',
      'hash-tags: ["user:{*}:","{q}:"]',
      '',
    ]);
    const json = await ringproxy(['advise', '--json', '--limit', '5', '--this-proxy'], env);
    expect(JSON.parse(json.out)).toEqual(ADVICE);
    expect(asked).toEqual(['/v1/advice?limit=20&fleet=true', '/v1/advice?limit=5&fleet=false']);
    expect(await ringproxy(['advise', '--limit', '0'], env)).toMatchObject({ code: 2 });
  });

  it('says so when there is nothing to say', async () => {
    const admin = await startAdmin((server) => {
      server.get('/v1/advice', () => ({ commands: 0, advice: [] }));
    });
    const { out } = await ringproxy(['advise'], { RINGPROXY_ADMIN: admin });
    expect(out).toBe('no command has had keys on several nodes since the proxies were started\n');
  });
});
