// A host that tells what it is sent: `node peer.mjs ADDRESS`. Each datagram is `tell TEXT` (it writes TEXT to standard
// output) or `send ADDRESS TEXT` (it sends `tell TEXT` there).
import { createSocket } from 'node:dgram';

const PORT = 7000;
const [address] = process.argv.slice(2);

const socket = createSocket('udp4').bind(PORT, address, () => console.log('ready'));
socket.on('message', (message) => {
  const [, verb, rest] = /^(\w+) (.*)$/s.exec(message) ?? [];
  if (verb === 'tell') return console.log(rest);
  const [, to, text] = /^(\S+) (.*)$/s.exec(rest);
  socket.send(`tell ${text}`, PORT, to);
});
