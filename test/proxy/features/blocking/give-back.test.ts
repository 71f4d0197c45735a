import { beforeAll, describe, expect, it } from 'vitest';
import { buildCommandTable } from '../../../../src/commands/build.js';
import { giveBackFrame } from '../../../../src/proxy/features/blocking/give-back.js';
import { RawClient } from '../../../support/raw-client.js';
import { startRedis } from '../../../support/redis-process.js';

let client: RawClient;
const table = buildCommandTable();

beforeAll(async () => {
  client = await RawClient.connect((await startRedis()).port);
});

const LIST = ['RPUSH', 'key', '1', '2', '2', '3', ''];
const SORTED_SET = ['ZADD', 'key', '-inf', 'least', '1.5', 'a', '2', 'b', '1e300', 'c', 'inf', 'most'];

describe.each(['2', '3'])('RESP%s', (protocol) => {
  it.each([
    [LIST, 'BLPOP key 0'],
    [LIST, 'BRPOP key 0'],
    [LIST, 'BLMPOP 0 1 key LEFT COUNT 3'],
    [LIST, 'BLMPOP 0 1 key right COUNT 4'],
    [SORTED_SET, 'BZPOPMIN key 0'],
    [SORTED_SET, 'BZPOPMAX key 0'],
    [SORTED_SET, 'BZMPOP 0 1 key MIN COUNT 2'],
    [SORTED_SET, 'BZMPOP 0 1 key MAX COUNT 4'],
  ])('of %j what %s has taken goes back to where it was', async (before, line) => {
    await client.command('HELLO', protocol);
    await client.command('DEL', 'key');
    await client.command(...before);
    const all = before[0] === 'ZADD' ? ['ZRANGE', 'key', '0', '-1', 'WITHSCORES'] : ['LRANGE', 'key', '0', '-1'];
    const was = await client.text(...all);
    const words = line.split(' ').map((word) => Buffer.from(word));
    const name = words[0] as Buffer;
    const command = table.lookup(name, 0, name.length);
    if (command === undefined) throw new Error(line);
    const frame = giveBackFrame(command, words, await client.command(...words));
    expect(await client.text(...all)).not.toBe(was);
    client.send(frame ?? '');
    await client.replies(1);
    expect(await client.text(...all)).toBe(was);
  });
});
