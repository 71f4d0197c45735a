/**
 * Stands in front of a proxy whose users are those of a file, for tests that change users by commands: ACL SETUSER and
 * ACL DELUSER of clients are carried out by a Redis of its own, which knows their grammar, and what that has then is
 * written into the file. Everything else goes to the proxy and back as it is.
 */
import { writeFileSync } from 'node:fs';
import net from 'node:net';

const CHANGES = new Set(['setuser', 'deluser']);
/** Who asks the referee: its user default may be anything. */
const ASKER = 'stand-in';

/**
 * @param options.proxyPort where everything else goes
 * @param options.referee port of a Redis without anything else to do
 * @param options.usersFile that of the proxy
 * @param options.reload has the proxy read it, and settles when it is in force
 * @returns where it listens, and how it ends
 */
export async function startAclStandIn({ proxyPort, referee, usersFile, reload }) {
  let turn = Promise.resolve();
  await ask(referee, command('ACL', 'SETUSER', ASKER, 'on', `>${ASKER}`, '~*', '&*', '+@all'), false);
  const change = (frame) => {
    // One after the other: each writes all users.
    const done = turn.then(async () => {
      const reply = await ask(referee, frame);
      if (reply.startsWith('-')) return reply;
      const lines = (await ask(referee, command('ACL', 'LIST')))
        .split('\r\n')
        .filter((line) => /^user (?!stand-in )/.test(line));
      writeFileSync(usersFile, `${lines.join('\n')}\n`);
      await reload();
      return reply;
    });
    turn = done.catch(() => {});
    return done;
  };
  const server = net.createServer((client) => relay(client, proxyPort, change));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: server.address().port, close: () => server.close() };
}

function relay(client, proxyPort, change) {
  const proxy = net.connect(proxyPort, '127.0.0.1');
  for (const [from, to] of [
    [client, proxy],
    [proxy, client],
  ]) {
    from.on('error', () => to.destroy());
    from.on('close', () => to.destroy());
  }
  proxy.pipe(client);
  let rest = Buffer.alloc(0);
  let waits = false;
  const goOn = () => {
    while (!waits && rest.length > 0) {
      const frame = wholeFrame(rest);
      // What is no array is for the proxy to refuse.
      if (frame === null) {
        proxy.write(rest);
        rest = Buffer.alloc(0);
      } else if (frame.end < 0) return;
      else {
        const bytes = rest.subarray(0, frame.end);
        rest = rest.subarray(frame.end);
        if (!isChange(frame.words)) proxy.write(bytes);
        else {
          waits = true;
          change(bytes).then(
            (reply) => {
              client.write(Buffer.from(reply, 'latin1'));
              waits = false;
              goOn();
            },
            () => client.destroy(),
          );
        }
      }
    }
  };
  client.on('data', (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    goOn();
  });
}

function isChange([name = '', sub = '']) {
  return name.toLowerCase() === 'acl' && CHANGES.has(sub.toLowerCase());
}

/** @returns the first command's words, and where it ends (-1: it has not come whole); null: it is no array of texts */
function wholeFrame(bytes) {
  if (bytes[0] !== 0x2a) return null;
  let at = 0;
  const number = () => {
    const end = bytes.indexOf('\r\n', at);
    if (end < 0) return Number.NaN;
    const value = Number(bytes.toString('latin1', at + 1, end));
    at = end + 2;
    return value;
  };
  const count = number();
  const words = [];
  for (let i = 0; i < count; i++) {
    if (at < bytes.length && bytes[at] !== 0x24) return null;
    const length = number();
    if (Number.isNaN(length) || at + length + 2 > bytes.length) return { words, end: -1 };
    words.push(bytes.toString('latin1', at, at + length));
    at += length + 2;
  }
  return Number.isNaN(count) ? { words, end: -1 } : { words, end: at };
}

function command(...words) {
  return Buffer.from(`*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`);
}

/** @returns the reply to one command on a connection of its own, one character for each byte */
function ask(port, frame, logsIn = true) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1');
    let text = '';
    socket.on('error', reject);
    socket.on('close', () => resolve(text.slice(logsIn ? '+OK\r\n'.length : 0, -'+OK\r\n'.length)));
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    // Behind the reply that is wanted comes that of QUIT, and the end.
    const login = logsIn ? [command('AUTH', ASKER, ASKER)] : [];
    socket.write(Buffer.concat([...login, frame, command('QUIT')]));
  });
}
