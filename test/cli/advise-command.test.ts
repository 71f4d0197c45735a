import { describe, expect, it } from 'vitest';
import type { AdviceView } from '../../src/admin/api.js';
import { startAdmin } from './fake-admin.js';
import { ringproxy } from './run.js';

const ADVICE: AdviceView = {
  commands: 1300,
  advice: [
    {
      command: 'SUNION',
      calls: 1234,
      keys: ['user:*:likes', 'user:*:follows'],
      tagged: ['user:{*}:likes', 'user:{*}:follows'],
      scope: 'value',
      example: ['user:1:likes', 'user:1:follows'],
    },
    { command: 'RENAME', calls: 60, keys: ['q:a', 'q:b'], tagged: ['{q}:a', '{q}:b'], scope: 'prefix', example: [] },
    { command: 'MGET', calls: 6, keys: ['page:*'], tagged: null, scope: null, example: ['page:1'] },
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
      '1,300 commands have had keys on several nodes since this proxy was started',
      '',
      'COMMANDS  COMMAND  KEYS  WITH A HASH TAG',
      '1,234  SUNION  user:*:likes  user:{*}:likes',
      'user:*:follows  user:{*}:follows',
      '60  RENAME  q:a  {q}:a (one node)',
      'q:b  {q}:b',
      '6  MGET  page:*  - nothing in common',
      '',
      'Keys with the same text in {…} are on one node: rename them where the application makes them.',
      '(one node) has all of these keys then: for a few keys, such as those of a queue.',
      '',
    ]);
    const json = await ringproxy(['advise', '--json', '--limit', '5'], env);
    expect(JSON.parse(json.out)).toEqual(ADVICE);
    expect(asked).toEqual(['/v1/advice?limit=20', '/v1/advice?limit=5']);
    expect(await ringproxy(['advise', '--limit', '0'], env)).toMatchObject({ code: 2 });
  });

  it('says so when there is nothing to say', async () => {
    const admin = await startAdmin((server) => {
      server.get('/v1/advice', () => ({ commands: 0, advice: [] }));
    });
    const { out } = await ringproxy(['advise'], { RINGPROXY_ADMIN: admin });
    expect(out).toBe('no command has had keys on several nodes since this proxy was started\n');
  });
});
