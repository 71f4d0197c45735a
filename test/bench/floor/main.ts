/** A process of its own: the forwarder in front of the nodes that it is given as `HOST:PORT`. Prints where it listens. */
import { parseNodeAddress } from '../../../src/node/address.js';
import { startForwarder } from './forwarder.js';

const addresses = process.argv.slice(2).map((text) => {
  const address = parseNodeAddress(text);
  if (address === null) throw new Error(`${text} is no address`);
  return address;
});
const { listen } = await startForwarder(addresses, (error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});
process.stdout.write(`${listen}\n`);
